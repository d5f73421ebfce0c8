"""Fits a line with Keras, at the rates that pleach tells: a program for `[command]`."""
import json, os
import keras, numpy

parameters = json.load(open(os.environ["PLEACH_PARAMETERS"]))
rates = numpy.loadtxt(os.environ["PLEACH_SCHEDULE"], ndmin=1).astype("float32")
keras.utils.set_random_seed(int(os.environ["PLEACH_SEED"]))


class Table(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        step = keras.ops.minimum(keras.ops.cast(step, "int32"), len(rates) - 1)
        return keras.ops.take(keras.ops.convert_to_tensor(rates), step)


class Report(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs):
        with open(os.environ["PLEACH_METRICS"], "a") as metrics:
            print(json.dumps({"step": int(self.model.optimizer.iterations), "loss": float(logs["loss"])}), file=metrics)


inputs = numpy.random.normal(size=(640, 8)).astype("float32")
targets = inputs @ numpy.arange(8.0, dtype="float32")
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(Table(), momentum=parameters.get("momentum", 0.0)), "mse")
model.fit(inputs, targets, batch_size=32, epochs=len(rates) // 20, verbose=0, callbacks=[Report()])
