from loadtest.report.guide import Said, said_by_workload
from tests.loadtest.report import example_campaign as example


def test_the_numbers_of_a_workloads_claims_stand_together_each_once() -> None:
    claims = (
        example.claim(holds=12, fails_at=None),
        example.claim(holds=10, fails_at=None),
        example.claim(holds=None, fails_at=13),
        example.claim(holds=12, fails_at=13, reading="GiB"),
        example.claim(workload="small", holds=20, fails_at=None),
    )
    assert said_by_workload(example.summary(claims=claims)) == {
        "medium": Said((10, 12), (13,)),
        "small": Said((20,)),
    }


def test_claims_of_other_kinds_say_nothing_of_numbers() -> None:
    claims = (example.claim(kind="cap", holds=None, fails_at=None),)
    assert said_by_workload(example.summary(claims=claims)) == {}
