from triage.tagger import tags_bank_complaints


def test_what_tags_bank_complaints_has_the_three_heads_and_labels_of_the_taxonomy_only():
    heads = {"category": ("card.annual_fee",), "severity": ("1", "2"), "sentiment": ("negative",)}
    assert tags_bank_complaints(heads)
    assert not tags_bank_complaints(heads | {"severity": ("1", "5")})
    assert not tags_bank_complaints({head: heads[head] for head in ("category", "severity")})
