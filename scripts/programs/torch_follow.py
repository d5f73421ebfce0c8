"""Fits a line with PyTorch, at the rates that pleach tells: a program for `[command]`."""
import json, os
import torch

parameters = json.load(open(os.environ["PLEACH_PARAMETERS"]))
rates = [float(line) for line in open(os.environ["PLEACH_SCHEDULE"])]
torch.manual_seed(int(os.environ["PLEACH_SEED"]))
inputs = torch.randn(1000, 8)
targets = inputs @ torch.arange(8.0) + 0.1 * torch.randn(1000)
model = torch.nn.Linear(8, 1)
# The rate is in the table: the factor of LambdaLR is the rate itself.
optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=parameters.get("momentum", 0.0))
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rates[min(step, len(rates) - 1)])
with open(os.environ["PLEACH_METRICS"], "a", buffering=1) as metrics:
    for step in range(1, len(rates) + 1):
        batch = torch.randint(len(inputs), (32,))
        loss = torch.nn.functional.mse_loss(model(inputs[batch]).squeeze(1), targets[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 20 == 0 or step == len(rates):
            print(json.dumps({"step": step, "loss": loss.item()}), file=metrics)
