"""The clinical decision logic of Firstline: which opioid orders skip first-line steps or create a danger.

In scope: an opioid that is ordered, changed, renewed or stopped; a sedative, a gabapentinoid, an MAO inhibitor or a
strong CYP3A4 inhibitor that is started while an opioid is active. The ladder concerns adults with neuropathic pain,
the dangers everybody.

Out of scope: diagnosis; doses of injections and infusions; anaesthesia; anything but opioids and what is dangerous
beside them; the choice of an opioid for cancer or palliative care. No clinician has signed the content off.

``cds.review.review(drafts, chart, today)`` is the door: facts in (``cds.chart``), findings and proposals out. No HTTP,
no FHIR, no clock. Knowledge and tables are read when it is imported; ``cds.knowledge.KnowledgeError`` tells what is
wrong with them.
"""
