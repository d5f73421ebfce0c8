"""Trains a small network from where another trial has come to: a program for `[command]` with `checkpoint = true`."""
import json, os
import torch

told = os.environ
first, end = int(told["PLEACH_FIRST"]), int(told["PLEACH_END"])
rates = [float(line) for line in open(told["PLEACH_SCHEDULE"])]  # one per step, until this stage ends
parameters = json.load(open(told["PLEACH_PARAMETERS"]))

torch.manual_seed(0)  # the data, the same for every trial
inputs, held_out = torch.randn(4096, 16), torch.randn(1024, 16)
teacher = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
with torch.no_grad():
    targets, truth = teacher(inputs), teacher(held_out)

random = torch.Generator().manual_seed(int(told["PLEACH_SEED"]))  # of the batches
torch.manual_seed(int(told["PLEACH_SEED"]))
model = torch.nn.Sequential(torch.nn.Linear(16, 512), torch.nn.Tanh(), torch.nn.Linear(512, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=parameters["momentum"])
if "PLEACH_LOAD" in told:
    state = torch.load(told["PLEACH_LOAD"])
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    random.set_state(state["random"])

with open(told["PLEACH_METRICS"], "a", buffering=1) as metrics:
    for step in range(first + 1, end + 1):
        optimizer.param_groups[0]["lr"] = rates[step - 1]
        batch = torch.randint(len(inputs), (256,), generator=random)
        loss = torch.nn.functional.mse_loss(model(inputs[batch]), targets[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 200 == 0 or ("PLEACH_LAST" in told and step == end):
            with torch.no_grad():
                loss = torch.nn.functional.mse_loss(model(held_out), truth)
            print(json.dumps({"step": step, "loss": loss.item()}), file=metrics)

if "PLEACH_SAVE" in told:  # everything that the rest of the training depends on
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "random": random.get_state()}
    torch.save(state, told["PLEACH_SAVE"])
