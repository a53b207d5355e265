import generate


def test_the_generated_files_are_what_the_proto_says_now() -> None:
    assert generate.stale() == [], "run generate.py"
