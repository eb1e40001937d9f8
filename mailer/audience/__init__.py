"""Who reads: subscribers, subscriptions, consent, suppressions, engagement facts, import.

Others call the modules by name: `addresses`, `subscribing`, `preferences`, `suppressing`, `importing`, `searching`,
`engagement`; see `docs/seams.md`.
"""
