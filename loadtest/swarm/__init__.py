"""The load generator: Locust users that run agents over automaker's API.

`locustfile` and what it imports run in a Locust process only; `result` is the contract with the
process that starts it, and knows nothing of Locust.
"""
