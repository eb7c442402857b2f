# %% [markdown]
# # 5. Where it skips
#
# Which images are easy, and which layers are left out: the pictures of DDI's figures 13 and 15.

# %%
import sys

sys.path.insert(0, "..")
import matplotlib.pyplot as plt
import numpy as np
from acsgen_host.notebook import start

session = start()
accelerator = session.accelerator
results = accelerator.infer(session.images)
executed = results.counters["macs_executed"]
skipped = results.counters["macs_skipped"] / (executed + results.counters["macs_skipped"])
order = np.argsort(skipped, kind="stable")
print(f"MACs skipped: {skipped.min():.1%} to {skipped.max():.1%}, mean {skipped.mean():.1%}")

# %% [markdown]
# ## The least and the most skipped images

# %%
shown = min(6, len(order) // 2)
figure, axes = plt.subplots(2, shown, figsize=(1.7 * shown, 5), squeeze=False)
for row, (chosen, name) in enumerate(
    ((order[:shown], "least skipped"), (order[::-1][:shown], "most skipped"))
):
    for axis, index in zip(axes[row], chosen):
        pixels = session.images[index].transpose(1, 2, 0)
        axis.imshow(pixels if pixels.shape[2] == 3 else pixels[..., 0], interpolation="nearest")
        axis.set_title(f"{skipped[index]:.1%}\nclass {results.prediction[index]}", fontsize=9)
        axis.set_xticks([])
        axis.set_yticks([])
    axes[row][0].set_ylabel(name, fontsize=11)
figure.suptitle("MACs skipped by image (DDI, figure 13)")
figure.subplots_adjust(hspace=0.45)
plt.show()

# %% [markdown]
# ## Skipping by layer

# %%
gates = list(results.masks)


def short(gate):
    return gate[: -len(".gate")] if gate.endswith(".gate") else gate


for gate in gates:
    mask = results.masks[gate]
    print(
        f"{gate}: {1 - mask.mean():.1%} skipped, {np.mean(mask.std(axis=0) > 0):.0%} of its channels depend on the image"
    )

figure, axis = plt.subplots(figsize=(max(6, 0.55 * len(gates) + 4), 3.6))
places = np.arange(len(gates))
groups = (
    ("least skipped image", order[:1], "#1f4e79"),
    ("all images", order, "#7f8c99"),
    ("most skipped image", order[-1:], "#d95f02"),
)
for shift, (name, chosen, color) in zip((-0.27, 0, 0.27), groups):
    values = [100 * (1 - results.masks[gate][chosen].mean()) for gate in gates]
    axis.bar(places + shift, values, 0.25, label=name, color=color)
axis.set_xticks(places)
axis.set_xticklabels([short(gate) for gate in gates], rotation=0 if len(gates) < 6 else 60)
axis.set_ylabel("channels skipped, %")
axis.set_ylim(0, 100)
axis.legend(fontsize=9)
axis.grid(axis="y", color="#dddddd", lw=0.6)
axis.set_axisbelow(True)
axis.set_title("Skipping by layer (DDI, figure 15)")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## The masks themselves
#
# A row for each image, from the least to the most skipped; dark is computed, light is skipped.

# %%
widths = [results.masks[gate].shape[1] for gate in gates]
picked = (
    gates if len(gates) <= 6 else [gates[i] for i in np.linspace(0, len(gates) - 1, 6).astype(int)]
)
figure, axes = plt.subplots(
    1,
    len(picked),
    figsize=(12, 4),
    squeeze=False,
    gridspec_kw={"width_ratios": [results.masks[g].shape[1] ** 0.5 for g in picked]},
)
for axis, gate in zip(axes[0], picked):
    axis.imshow(
        results.masks[gate][order],
        aspect="auto",
        cmap="Blues",
        vmin=-0.1,
        vmax=1.2,
        interpolation="nearest",
    )
    axis.set_title(short(gate) + f"\n{results.masks[gate].shape[1]} channels", fontsize=10)
    axis.set_xlabel("channel")
axes[0][0].set_ylabel("image, least skipped first")
figure.suptitle(f"Masks, {session.engine}")
figure.tight_layout()
plt.show()
accelerator.close()
