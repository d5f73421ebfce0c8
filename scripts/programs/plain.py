"""Descends a bowl at the rates it is told: a program for `[command]` with nothing but Python."""
import json, os, sys

rates = [float(line) for line in open(os.environ["PLEACH_SCHEDULE"])]  # one per step
x, momentum, velocity = 5.0, float(sys.argv[1]), 0.0
with open(os.environ["PLEACH_METRICS"], "a", buffering=1) as metrics:
    for step, rate in enumerate(rates, start=1):
        velocity = momentum * velocity + x
        x -= rate * velocity
        if step % 20 == 0 or step == len(rates):
            print(json.dumps({"step": step, "loss": x * x / 2}), file=metrics)
