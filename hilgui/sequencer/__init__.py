"""Test cases: what people write, the steps, the runner with its modes, verdicts, results, queues.

A front end uses `loading` (parse, find), `suite` (run, resume, list), `operator` (questions and answers) and
`results` (shelf, trend).
Nothing is imported here: the plug-in of pytest is loaded in every test run, and has to be light.
"""
