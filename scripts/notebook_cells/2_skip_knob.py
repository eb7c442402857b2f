# %% [markdown]
# # 2. The knob: accuracy, time and MACs against strictness
#
# Thresholds are registers: how much is skipped is set at run time. *Strictness* shifts all gates alike:
# 0 opens them, 0.5 is as trained, 1 closes them.

# %%
import sys

sys.path.insert(0, "..")
import matplotlib.pyplot as plt
import numpy as np
from acsgen_host.notebook import start

session = start()
accelerator = session.accelerator

# %%
strictness = np.array([0.0, 0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
right, macs, times = [], [], []
for value in strictness:
    accelerator.strictness = value
    results = accelerator.infer(session.images)
    right.append(session.right(results.prediction))
    macs.append(results.counters["macs_executed"].mean())
    times.append(results.seconds.mean())
    print(
        f"strictness {value:4.2f}: {right[-1]:6.1%} right, {macs[-1]:12,.0f} MACs, {1e3 * times[-1]:.3f} ms"
    )

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 3.6))
for axis, values, title, color in (
    (axes[0], 100 * np.array(right), f"{session.quality}, %", "#1b7f5c"),
    (axes[1], np.array(macs) / 1e6, "million MACs an image", "#1f4e79"),
    (axes[2], 1e3 * np.array(times), f"ms an image\n({accelerator.times})", "#d95f02"),
):
    axis.plot(strictness, values, "o-", color=color, lw=2, ms=5)
    axis.axvline(0.5, color="#7f8c99", ls=":", lw=1)
    axis.set_xlabel("strictness")
    axis.set_title(title, fontsize=10)
    axis.set_ylim(bottom=0)
    axis.grid(color="#dddddd", lw=0.6)
    axis.spines["top"].set_visible(False)
    axis.spines["right"].set_visible(False)
figure.suptitle(
    f"{accelerator.bundle.model}, {session.engine}, {len(session.images)} images; dotted: as trained",
    y=1.04,
)
figure.tight_layout()
plt.show()

# %%
saved = 1 - np.array(macs) / macs[0]
faster = 1 - np.array(times) / times[0]
at = int(np.flatnonzero(strictness == 0.5)[0])
print(
    f"as trained: {saved[at]:.1%} of the MACs and {faster[at]:.1%} of the time saved against open gates"
)

# %% [markdown]
# ## Live
#
# A few steps, and with ipywidgets a slider.


# %%
def show(value):
    accelerator.strictness = value
    results = accelerator.infer(session.images[:8])
    done = results.counters["macs_executed"].mean()
    print(f"strictness {value:.2f}: classes {results.prediction.tolist()}, {done:,.0f} MACs")


for value in (0.2, 0.5, 0.8):
    show(value)
try:
    from ipywidgets import FloatSlider, interact
except ImportError:
    print("no ipywidgets here: no slider")
else:
    interact(show, value=FloatSlider(0.5, min=0.0, max=1.0, step=0.05, continuous_update=False))
