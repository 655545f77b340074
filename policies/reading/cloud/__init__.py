"""What the resources of a cloud make of a network: who has which addresses, who may connect to whom, what is public.

One model for every cloud (`addresses`, `model`, `flaws`), one package of readers for each, and `joined`, which knows which there are.
"""
