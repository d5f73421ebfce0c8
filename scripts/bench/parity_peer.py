"""The models and optimizers of `pleach-mnist` in PyTorch. `parity_peer.py DATA JSON FOLDER`: for each job trains some steps,
leaves the initial weights and the batches in the folder, and prints the losses; with `seeds` trains whole epochs from
PyTorch's own seeds, and prints accuracies."""
import gzip, json, os, sys

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np, torch
from torch import nn
from torch.nn import functional as F

data, jobs, folder = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
torch.set_num_threads(1)


def idx(name, offset):
    with gzip.open(os.path.join(data, "mnist", name)) as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


def images(name):
    return torch.from_numpy(idx(f"{name}-images-idx3-ubyte.gz", 16).reshape(-1, 784).astype(np.float64) / 255)


def labels(name):
    return torch.from_numpy(idx(f"{name}-labels-idx1-ubyte.gz", 8).astype(np.int64))


x, y, xt, yt = images("train"), labels("train"), images("t10k"), labels("t10k")
mean, deviation = x.mean(), x.std(unbiased=False)
x, xt = ((images - mean) / deviation for images in (x, xt))
x, xt = x.float(), xt.float()


def model(name):
    if name == "lenet":
        return nn.Sequential(
            nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
    widths = [784, *map(int, name.split("-")[1:]), 10]
    layers = [part for a, b in zip(widths, widths[1:]) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def optimizer(job, parameters):
    options = {key: value for key, value in job["optimizer"].items() if key != "name"}
    return getattr(torch.optim, job["optimizer"]["name"])(parameters, lr=job["peak"], **options)


def step(net, rule, at):
    rule.zero_grad(set_to_none=True)
    loss = F.cross_entropy(net(x[at]), y[at])
    loss.backward()
    rule.step()
    return loss.item()


for job in jobs:
    if "seeds" in job:
        for seed in range(job["seeds"]):
            torch.manual_seed(seed)
            net = model(job["model"])
            rule = optimizer(job, net.parameters())
            for _ in range(job["epochs"]):
                for at in torch.randperm(len(x)).split(job["batch"]):
                    step(net, rule, at)
            with torch.no_grad():
                print(json.dumps((net(xt).argmax(1) == yt).double().mean().item()), flush=True)
        continue
    torch.manual_seed(1)
    net = model(job["model"])
    order = torch.randperm(len(x))[: job["steps"] * job["batch"]]
    torch.cat([p.detach().flatten() for p in net.parameters()]).numpy().tofile(os.path.join(folder, job["weights"]))
    order.to(torch.int32).numpy().tofile(os.path.join(folder, job["order"]))
    rule = optimizer(job, net.parameters())
    print(json.dumps([step(net, rule, at) for at in order.split(job["batch"])]), flush=True)
