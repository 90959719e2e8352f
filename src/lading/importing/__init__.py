"""Puts records into a database: reads, decides, resolves, writes, and does what was deferred.

    payload -> entity_reader -> conflicts -> references -> self_references -> writer
               (Batch)          (Decisions)  (ResolvedBatch)                  (rows, WriteLog)
                                    |             |                               |
                                    v             v                               v
                                 outcomes <- problems of records              journal
                                    |                                             |
                                    v                                             v
                               ImportReport                     deferred, deferred_references

``loading`` runs a load in the catalog's order, and again without records that turned out bad
after they were written (``context.Exclusions``).  ``savepoints`` narrows a database error down
to its row, for all that writes.  A mode of ``on_conflict`` is a policy in ``conflicts``.
"""
