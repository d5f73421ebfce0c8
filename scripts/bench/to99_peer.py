"""`to99_peer.py DATA SEED EPOCHS PEAK BATCH`: LeNet in PyTorch on two threads, its tensors loaded beforehand, with a one-cycle
schedule; prints the test accuracy after every epoch."""
import gzip, os, sys

folder, (seed, epochs, batch) = sys.argv[1], (int(sys.argv[index]) for index in (2, 3, 5))
peak = float(sys.argv[4])
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def idx(name, offset):
    with gzip.open(os.path.join(folder, "mnist", name)) as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


def images(name):
    return torch.from_numpy(idx(f"{name}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28).astype(np.float32) / 255)


torch.set_num_threads(2)
torch.manual_seed(seed)
x, xt = images("train"), images("t10k")
y, yt = (torch.from_numpy(idx(f"{name}-labels-idx1-ubyte.gz", 8).astype(np.int64)) for name in ("train", "t10k"))
mean, deviation = x.mean(), x.std()
x, xt = (x - mean) / deviation, (xt - mean) / deviation
model = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.ReLU(),
    nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=peak, momentum=0.9, nesterov=True, weight_decay=1e-4)
steps = -(-len(x) // batch) * epochs
cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, total_steps=steps, pct_start=0.25, cycle_momentum=False)
for _ in range(epochs):
    for at in torch.randperm(len(x)).split(batch):
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(x[at]), y[at]).backward()
        optimizer.step()
        cycle.step()
    with torch.no_grad():
        right = sum(int((model(xt[at]).argmax(1) == yt[at]).sum()) for at in torch.arange(len(xt)).split(1000))
    print(f"test_accuracy {right / len(xt)}, ", flush=True)
