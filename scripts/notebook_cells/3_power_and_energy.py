# %% [markdown]
# # 3. Power and energy
#
# In the form of Table I of *Dual Dynamic Inference* (DDI): savings of computation, savings of energy,
# accuracy. Loops of at least ten seconds, five for each setting, between idle stretches; energy in total
# and above idle with 95 % intervals, and *unresolved* where an interval spans zero.
#
# On a board, name your sensor first, for example
# `os.environ["ACSGEN_SOURCE"] = "zedboard:bus=1"`. A simulation has no power: its source is synthetic.

# %%
import sys

sys.path.insert(0, "..")
import matplotlib.pyplot as plt
import numpy as np
from acsgen_host.notebook import measure_energy, start
from acsgen_host.power import counts_of, fit, literature_model

session = start()
accelerator = session.accelerator

# %%
strictness = [0.0, 0.3, 0.5, 0.7, 0.9]
points, scope = measure_energy(session, strictness)
print(scope)

# %%
right = []
for value in strictness:
    accelerator.strictness = value
    right.append(session.right(accelerator.infer(session.images).prediction))
macs = np.array([point.counters["macs_executed"] for point in points])
total = np.array([point.energy.total.value for point in points])
net = np.array(
    [point.energy.net.value if point.energy.net.resolved else np.nan for point in points]
)


def percent(value):
    return "unresolved" if np.isnan(value) else f"{100 * value:.1f}"


made_up = "SYNTHETIC " if accelerator.simulation else ""
rows = [
    ("strictness", [f"{value:g}" for value in strictness]),
    ("Comp Savings (%)", [percent(v) for v in 1 - macs / macs[0]]),
    (f"{made_up}Energy Savings, total (%)", [percent(v) for v in 1 - total / total[0]]),
    (f"{made_up}Energy Savings, above idle (%)", [percent(v) for v in 1 - net / net[0]]),
    ("Acc (%)" if session.quality == "accuracy" else "Agreement (%)", [percent(v) for v in right]),
]
for name, values in rows:
    print(f"{name:<42}" + "".join(f"{value:>11}" for value in values))

# %%
for point in points:
    energy = point.energy
    print(
        f"strictness {point.name:>4}: {made_up}{1e3 * energy.total.value:.4f} mJ in total "
        f"[{1e3 * energy.total.low:.4f}, {1e3 * energy.total.high:.4f}], "
        f"{1e3 * energy.net.value:.4f} above idle [{1e3 * energy.net.low:.4f}, {1e3 * energy.net.high:.4f}]"
    )

# %%
figure, axis = plt.subplots(figsize=(7.5, 4))
saved = 100 * (1 - macs / macs[0])
axis.plot([0, 100], [0, 100], color="#7f8c99", ls=":", lw=1, label="energy saved = MACs saved")
axis.plot(saved, 100 * (1 - total / total[0]), "o-", color="#1f4e79", label="in total")
axis.plot(saved, 100 * (1 - net / net[0]), "s-", color="#1b7f5c", label="above idle")
axis.set_xlim(-2, 1.15 * saved.max() + 2)
axis.set_ylim(-2, 1.15 * saved.max() + 12)
axis.set_xlabel("MACs saved, %")
axis.set_ylabel("energy saved, %")
axis.legend(fontsize=9)
axis.grid(color="#dddddd", lw=0.6)
if accelerator.simulation:
    axis.text(
        0.5,
        0.4,
        "SYNTHETIC",
        transform=axis.transAxes,
        fontsize=52,
        color="#c0392b",
        alpha=0.18,
        ha="center",
        va="center",
        rotation=20,
        weight="bold",
    )
axis.set_title(f"{accelerator.bundle.model}: {scope}", fontsize=10)
plt.show()

# %% [markdown]
# ## The energy model
#
# Equation 6 of DDI: accesses by level of memory and MACs, each at its cost. Before anything is fitted it
# is a model with ratios from the literature; below, its costs are fitted to the points above.

# %%
counts = [counts_of(point.counters, accelerator.identity.lane_groups) for point in points]
before = literature_model()
print(before.kind, "- assumptions:")
for line in before.assumptions:
    print("  -", line)
parts = before.parts(counts[2])
whole = sum(parts.values())
print("as trained:", ", ".join(f"{name} {value / whole:.0%}" for name, value in parts.items()))

resolved = [index for index, point in enumerate(points) if point.energy.net.low > 0]
if resolved:
    model = fit(
        [counts[i] for i in resolved],
        [points[i].energy.net.value for i in resolved],
        bool(accelerator.simulation),
    )
    print(f"\n{model.kind}, relative error {model.residual:.1%}")
    for name, cost in model.costs.items():
        print(f"  {name}: {1e12 * cost:.3f} pJ")
    for line in model.assumptions:
        print("  -", line)
accelerator.close()
