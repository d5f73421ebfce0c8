"""The models of `pleach-mnist` in PyTorch, JAX and NumPy, each as fast as it is usually written: tensors loaded beforehand,
one thread. `train_peers.py PEER DATA JSON` trains and prints seconds an epoch and the accuracy on the test images."""
import gzip, json, os, sys, time

peer, folder, job = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
import numpy as np


def idx(name, offset):
    with gzip.open(os.path.join(folder, "mnist", name)) as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


def images(name):
    return idx(f"{name}-images-idx3-ubyte.gz", 16).reshape(-1, 784).astype(np.float32) / 255


X, Y = images("train"), idx("train-labels-idx1-ubyte.gz", 8).astype(np.int64)
XT, YT = images("t10k"), idx("t10k-labels-idx1-ubyte.gz", 8).astype(np.int64)
if job["normalize"] == "standard":
    mean, deviation = X.mean(), X.std()
    X, XT = (X - mean) / deviation, (XT - mean) / deviation
batch, epochs, rate, momentum = job["batch"], job["epochs"], job["peak"], job["momentum"]
steps = -(-len(X) // batch)


def report(begin, accuracy):
    print(json.dumps({"epoch": (time.perf_counter() - begin) / epochs, "accuracy": float(accuracy())}))


def torch_():
    import torch
    from torch import nn
    from torch.nn import functional as F
    torch.set_num_threads(1)
    torch.manual_seed(1)
    if job["model"] == "lenet":
        model = nn.Sequential(
            nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
    else:
        hidden = int(job["model"].split("-")[1])
        model = nn.Sequential(nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)
    x, y, xt, yt = map(torch.from_numpy, (X, Y, XT, YT))

    def step(at):
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(x[at]), y[at]).backward()
        optimizer.step()

    order = torch.randperm(len(x))
    for first in range(0, 3 * batch, batch):
        step(order[first:first + batch])
    begin = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for first in range(0, len(x), batch):
            step(order[first:first + batch])
    with torch.no_grad():
        report(begin, lambda: (model(xt).argmax(1) == yt).float().mean())


def torch_lanes():
    """Several models side by side, on the same samples, in batched products."""
    import torch
    torch.set_num_threads(1)
    lanes, random = job["lanes"], np.random.default_rng(1)
    rates = rate / torch.arange(1, lanes + 1)
    models = [parameters(random) for _ in range(lanes)]
    w1, b1, w2, b2 = weights = [torch.from_numpy(np.stack(slot)).requires_grad_() for slot in zip(*models)]
    x, y, xt, yt = map(torch.from_numpy, (X, Y, XT, YT))

    def logits(x):
        hidden = torch.baddbmm(b1[:, None], x.expand(lanes, *x.shape), w1).relu()
        return torch.baddbmm(b2[:, None], hidden, w2)

    def step(at):
        # The sum over the models of each one's mean.
        z = logits(x[at])
        loss = torch.nn.functional.cross_entropy(z.flatten(0, 1), y[at].repeat(lanes), reduction="sum") / len(at)
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients):
                weight.sub_(gradient * rates.view(-1, *[1] * (weight.dim() - 1)))

    order = torch.randperm(len(x))
    for first in range(0, 3 * batch, batch):
        step(order[first:first + batch])
    begin = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for first in range(0, len(x), batch):
            step(order[first:first + batch])
    with torch.no_grad():
        report(begin, lambda: (logits(xt)[0].argmax(1) == yt).float().mean())


def parameters(random):
    hidden = int(job["model"].split("-")[1])
    uniform = lambda inputs, *shape: random.uniform(-inputs**-0.5, inputs**-0.5, shape).astype(np.float32)
    return [uniform(784, 784, hidden), uniform(784, hidden), uniform(hidden, hidden, 10), uniform(hidden, 10)]


def jax_():
    import jax, jax.numpy as jnp
    random = np.random.default_rng(1)
    x, y = jnp.asarray(X), jnp.asarray(Y.astype(np.int32))

    def logits(p, x):
        return jax.nn.relu(x @ p[0] + p[1]) @ p[2] + p[3]

    def loss(p, x, y):
        return -jnp.take_along_axis(jax.nn.log_softmax(logits(p, x)), y[:, None], 1).mean()

    def step(carry, at):
        p, v = carry
        g = jax.grad(loss)(p, x[at], y[at])
        v = [momentum * v + g for v, g in zip(v, g)] if momentum else g
        return ([p - rate * v for p, v in zip(p, v)], v), None

    # One compiled loop over an epoch; the last, smaller batch is left out, which is to its advantage.
    epoch = jax.jit(lambda carry, order: jax.lax.scan(step, carry, order)[0])
    order = lambda: jnp.asarray(random.permutation(len(X))[:len(X) // batch * batch].reshape(-1, batch))
    start = [jnp.asarray(p) for p in parameters(random)]
    carry = (start, [jnp.zeros_like(p) for p in start])
    jax.block_until_ready(epoch(carry, order()))
    begin = time.perf_counter()
    for _ in range(epochs):
        carry = epoch(carry, order())
    jax.block_until_ready(carry)
    report(begin, lambda: (np.asarray(logits(carry[0], XT)).argmax(1) == YT).mean())


def numpy_():
    random = np.random.default_rng(1)
    p = parameters(random)
    v = [np.zeros_like(p) for p in p]
    begin = time.perf_counter()
    for _ in range(epochs):
        order = random.permutation(len(X))
        for first in range(0, len(X), batch):
            at = order[first:first + batch]
            x = X[at]
            a = x @ p[0]
            a += p[1]
            np.maximum(a, 0, out=a)
            z = a @ p[2] + p[3]
            z -= z.max(1, keepdims=True)
            np.exp(z, out=z)
            z /= z.sum(1, keepdims=True)
            z[np.arange(len(at)), Y[at]] -= 1
            z /= len(at)
            d = z @ p[2].T
            d *= a > 0
            for p_, v_, g in zip(p, v, (x.T @ d, d.sum(0), a.T @ z, z.sum(0))):
                if momentum:
                    v_ *= momentum
                    v_ += g
                    g = v_
                p_ -= rate * g
    report(begin, lambda: ((np.maximum(XT @ p[0] + p[1], 0) @ p[2] + p[3]).argmax(1) == YT).mean())


{"torch": torch_, "torch-lanes": torch_lanes, "jax": jax_, "numpy": numpy_}[peer]()
