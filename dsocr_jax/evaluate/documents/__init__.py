"""OmniDocBench: pages parsed to Markdown against annotated blocks.

Written from what the benchmark publishes (its paper, its annotation format and the behaviour of its evaluator, version
1.5, "quick match"), and held against that evaluator's numbers on its demonstration pages; see docs/evaluate.md.
"""
