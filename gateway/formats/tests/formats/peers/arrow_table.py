"""Reads an Arrow IPC stream from standard input as pyarrow sees it: schema, then rows."""

import sys

import pyarrow.ipc

table = pyarrow.ipc.open_stream(sys.stdin.buffer).read_all()
table.validate(full=True)
print(table.schema.to_string(show_field_metadata=False, show_schema_metadata=False))
for row in table.to_pylist():
    print({name: value.hex() if isinstance(value, bytes) else str(value) for name, value in row.items() if value is not None})
