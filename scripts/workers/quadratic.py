#!/usr/bin/env python3
"""A worker for pleach with nothing but Python: descends a quadratic bowl at the rates it is told."""
import json, math, sys

def say(kind, **message):
    print(json.dumps({kind: message}), flush=True)

def number(name, default, **bounds):
    return {"name": name, "kind": {"type": "float", **bounds}, "default": default, "doc": "", "length": False}

for line in sys.stdin:
    message = json.loads(line)
    if message == "exit":
        break
    ((kind, body),) = message.items()
    if kind == "hello":
        parameters = [number("start", 5.0), number("curvature", 1.0, min=0.0), {**number("steps", 50.0, min=1.0), "length": True}]
        say("hello", protocol=1, program="quadratic", version="1", numerics="python-1",
            schedules="table", parameters=parameters, devices=["cpu"], metrics=["loss"])
    elif kind == "measure":
        steps = int(body["parameters"].get("steps", 50))
        say("measured", id=body["id"], steps=steps, steps_per_epoch=steps)
    elif kind == "start":
        parameters, rates = body["parameters"], body["schedule"]["table"]
        x, curvature = parameters.get("start", 5.0), parameters.get("curvature", 1.0)
        for step in range(body["end"]):
            x -= rates[step] * curvature * x
        loss = curvature * x * x / 2
        outcome = "done" if math.isfinite(loss) else "diverged"
        say("metrics", attempt=body["attempt"], step=body["end"], values={"loss": loss if outcome == "done" else "NaN"})
        say("finished", attempt=body["attempt"], step=body["end"], outcome=outcome)
