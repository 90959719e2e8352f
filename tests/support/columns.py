"""Column types that hold the same values on every engine; MariaDB's own would lose some.

There a generic datetime or time keeps no fraction of a second, a float is a single one, and
a decimal without a scale is a whole number.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

#: SQLAlchemy's two names for a MariaDB server.
MARIADB = ("mariadb", "mysql")

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), *MARIADB)
INSTANT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), *MARIADB)
CLOCK = sa.Time().with_variant(mysql.TIME(fsp=6), *MARIADB)
FLOAT = sa.Float().with_variant(mysql.DOUBLE(asdecimal=False), *MARIADB)
DECIMAL = sa.Numeric().with_variant(mysql.NUMERIC(40, 10), *MARIADB)
#: What an index covers whole.
KEY_TEXT = sa.Text().with_variant(mysql.VARCHAR(200), *MARIADB)
KEY_BYTES = sa.LargeBinary().with_variant(mysql.VARBINARY(300), *MARIADB)
