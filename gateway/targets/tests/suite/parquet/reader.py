"""Reads Parquet files of a folder or a bucket with pyarrow and prints what is in them, a line of JSON for each file.

    reader.py folder PATH         every file that is not hidden
    reader.py hive PATH           the same as one dataset, by its partitions
    reader.py s3 ENDPOINT BUCKET  every object
    reader.py bucket ENDPOINT BUCKET  makes the bucket
"""

import io
import json
import os
import sys

import pyarrow.parquet


def say(path, file, etag=None):
    parquet = pyarrow.parquet.ParquetFile(file)
    table = parquet.read()
    groups = [parquet.metadata.row_group(at) for at in range(parquet.num_row_groups)]
    print(json.dumps({
        "path": path,
        "etag": etag,
        "types": {field.name: str(field.type) for field in parquet.schema_arrow},
        "groups": [sum(group.column(at).total_compressed_size for at in range(group.num_columns)) for group in groups],
        "compression": groups[0].column(0).compression,
        "rows": [[id.hex(), n, len(pad)] for id, n, pad in zip(*(table[name].to_pylist() for name in ("id", "n", "pad")))],
    }))


def folder(root):
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names if name[0] != "."]
    for path in sorted(paths):
        say(os.path.relpath(path, root), path)


def hive(root):
    import pyarrow.dataset

    table = pyarrow.dataset.dataset(root, partitioning="hive").to_table().select(["model", "day", "n"])
    print(json.dumps(sorted(table.to_pylist(), key=lambda row: row["n"]), default=str))


def client(endpoint):
    import boto3

    key = {"aws_access_key_id": "farm", "aws_secret_access_key": "s3cret"}
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **key)


def s3(endpoint, bucket):
    store = client(endpoint)
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    for name in sorted(found["Key"] for page in pages for found in page.get("Contents", [])):
        found = store.get_object(Bucket=bucket, Key=name)
        say(name, io.BytesIO(found["Body"].read()), found["ETag"])


def bucket(endpoint, name):
    client(endpoint).create_bucket(Bucket=name)


globals()[sys.argv[1]](*sys.argv[2:])
sys.stdout.flush()
# pyarrow's threads may abort the program while Python tidies up.
os._exit(0)
