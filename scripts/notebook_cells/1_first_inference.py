# %% [markdown]
# # 1. First inference and self-test
#
# This notebook lies in a build of acsgen, beside its driver. On a board it loads the bitstream of the
# build; on a PC it runs the same driver on a simulation of the engine. The outputs that are stored here
# are of a PC, as the first lines say.

# %%
import sys

sys.path.insert(0, "..")
import matplotlib.pyplot as plt
import numpy as np
from acsgen_host.notebook import start

session = start()
accelerator = session.accelerator

# %% [markdown]
# ## One image
#
# `infer` takes raw pixels, uint8 `[C, H, W]`, and returns the class, the logits, the masks of the gates,
# and the counters of the engine.

# %%
image = session.images[0]
result = accelerator.infer(image)
print("class", result.prediction, " logits", result.logits)
for gate, mask in result.masks.items():
    print(f"{gate}: {mask.sum()} of {len(mask)} channels computed")
counters = result.counters
share = counters["macs_skipped"] / (counters["macs_executed"] + counters["macs_skipped"])
print(f"{counters['macs_executed']} MACs, {share:.1%} skipped")
print(f"{1e3 * result.seconds:.3f} ms, {accelerator.times}")

# %% [markdown]
# ## A batch
#
# While the engine runs an image, the next one is written into memory. The results are in the order of
# the images, and have the same attributes with an axis more.

# %%
results = accelerator.infer(session.images)
print(f"{session.quality}: {session.right(results.prediction):.1%} of {len(results)} images")

shown = min(10, len(results))
figure, axes = plt.subplots(2, 5, figsize=(9, 4.8))
for index, axis in enumerate(axes.flat):
    axis.axis("off")
    if index < shown:
        pixels = session.images[index].transpose(1, 2, 0)
        axis.imshow(pixels if pixels.shape[2] == 3 else pixels[..., 0], interpolation="nearest")
        good = results.prediction[index] == session.labels[index]
        title = f"class {results.prediction[index]}" + (
            "" if good else f", not {session.labels[index]}"
        )
        axis.set_title(title, color="#1b7f5c" if good else "#c0392b", fontsize=10)
figure.suptitle(f"Classes by the {session.engine}")
figure.subplots_adjust(hspace=0.3)
plt.show()

# %% [markdown]
# ## Self-test
#
# The golden vectors of the build, forwards and backwards: every logit and every mask bit must be equal.

# %%
report = accelerator.selftest(20)
print(f"{report.runs} runs, {report.values} values compared, {report.mismatches} mismatches")
print("PASS" if report.mismatches == 0 else f"FAIL: {report.first}")
accelerator.close()
