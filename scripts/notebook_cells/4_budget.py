# %% [markdown]
# # 4. Inference under a budget
#
# The budget is a *mean*: the driver chooses the least strictness whose mean MACs an image are within it.
# It is no limit for a single image. A network with early exits has that, too: see the end.

# %%
import sys

sys.path.insert(0, "..")
import matplotlib.pyplot as plt
import numpy as np
from acsgen_host.notebook import start

session = start()
accelerator = session.accelerator

# %% [markdown]
# First a profile: strictness against mean work, counted by the engine. Half of the images make it, the
# other half are to keep to it.

# %%
half = len(session.images) // 2
profile = accelerator.measure_budget(
    session.images[:half], session.labels[:half], np.linspace(0, 1, 21)
)
for point in profile.points[::4]:
    print(
        f"strictness {point.strictness:4.2f}: {point.macs_mean:12,.0f} MACs in the mean, {point.accuracy:.1%} right"
    )

# %%
most, least = profile.points[0].macs_mean, min(point.macs_mean for point in profile.points)
budgets = np.linspace(least, most, 8)
used, right, highest = [], [], []
for budget in budgets:
    chosen = accelerator.set_budget(budget, profile)
    results = accelerator.infer(session.images[half:])
    macs = results.counters["macs_executed"]
    used.append(macs.mean())
    highest.append(macs.max())
    right.append(float(np.mean(results.prediction == session.labels[half:])))
    print(
        f"budget {budget:12,.0f}: strictness {chosen.strictness:4.2f}, used {macs.mean():12,.0f} "
        f"(most {macs.max():,}), {right[-1]:.1%} right"
    )

# %%
figure, (left, other) = plt.subplots(1, 2, figsize=(11, 3.9))
left.plot(budgets / 1e6, budgets / 1e6, color="#7f8c99", ls=":", label="the budget")
left.plot(budgets / 1e6, np.array(used) / 1e6, "o-", color="#1f4e79", label="used, mean")
left.plot(budgets / 1e6, np.array(highest) / 1e6, "^", color="#d95f02", label="used, largest image")
left.set_xlabel("budget, million MACs an image")
left.set_ylabel("million MACs an image")
left.legend(fontsize=9)
other.plot(budgets / 1e6, 100 * np.array(right), "o-", color="#1b7f5c")
other.set_xlabel("budget, million MACs an image")
other.set_ylabel(f"{session.quality}, %")
other.set_ylim(0, 104)
for axis in (left, other):
    axis.grid(color="#dddddd", lw=0.6)
figure.suptitle(
    f"{accelerator.bundle.model}, {session.engine}: images that the profile has not seen"
)
figure.tight_layout()
plt.show()

# %% [markdown]
# A budget below the lowest mean of the profile is refused, in words. With early exits that need not be the mean with all
# gates closed: a branch that sees less may be less sure, and its run goes on.

# %%
try:
    accelerator.set_budget(least / 2, profile)
except ValueError as error:
    print(error)
accelerator.reset_thresholds()

# %% [markdown]
# A *hard* budget is a limit for every image: at each early exit the engine compares its own counter with
# what the budget leaves for the way to the next one, and ends with the answer that it has. Entropy ends a
# run where a classifier is sure. Both are knobs of networks with exits (`acsgen.nn.EarlyExit`); others say
# that they have none.

# %%
exits = accelerator.bundle.exits
if exits:
    whole = accelerator.least_budget + sum(exit.macs_after for exit in exits.values())
    for budget in [None, *np.linspace(whole, accelerator.least_budget, 5).astype(int).tolist()]:
        accelerator.hard_budget = budget
        results = accelerator.infer(session.images[half:])
        macs = results.counters["macs_executed"]
        right = float(np.mean(results.prediction == session.labels[half:]))
        print(
            f"hard budget {budget}: most {macs.max():,}, mean {macs.mean():,.0f}, {right:.1%} right"
        )
        for output in accelerator.bundle.outputs:
            print(f"    {results.answer.count(output):4d} images answered by {output}")
    accelerator.hard_budget = None
    try:
        least_cycles = accelerator.least_budget_cycles
    except ValueError as error:  # The HLS engine counts no cycles.
        print(error)
    else:
        for budget in (least_cycles, 2 * least_cycles, 4 * least_cycles):
            accelerator.hard_budget_cycles = budget
            cycles = accelerator.infer(session.images[half:]).counters["cycles"]
            print(f"hard budget {budget:,} cycles: most {cycles.max():,}")
        accelerator.hard_budget_cycles = None
    for entropy in (0.0, 0.1, 0.3, 0.5, 1.0):
        accelerator.exit_entropy = entropy
        results = accelerator.infer(session.images[half:])
        macs = results.counters["macs_executed"]
        right = float(np.mean(results.prediction == session.labels[half:]))
        print(f"entropy below {entropy}: mean {macs.mean():,.0f} MACs, {right:.1%} right")
else:
    try:
        accelerator.hard_budget = 10**9
    except ValueError as error:
        print(error)
accelerator.close()
