"""Brings stored records to what a bundle says: writes what differs, and nothing else.

    conflicts -> collected_updates (records that differ, on disk)
                     |  record_matcher: which stored rows the rows of a record are (matching)
                     |  left_rows: owned rows that their records lack; others may take them over
                     v
                 entity_updates: prepare, before new records are inserted:
                     unique_values -> parking: frees unique values that others want
                     v
                 finish, once all new records of all entities are there:
                     update_writer -> row_updater -> link_updater, versions
                     v
                 settle, once everything is written:
                     settling: references whose targets changed after they were compared

All references can be resolved in the end, so that updates defer nothing.
"""
