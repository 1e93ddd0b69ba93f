"""Training and evaluating many times to answer one question: does it travel?"""
