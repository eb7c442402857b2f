"""The block design that a board asks for, worked out from its YAML file alone.

Nothing of ``acsgen.emit`` is used here: names of pins and properties are written a second time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: The engine's memory ports, in order.
MASTERS = ("gmem0", "gmem1", "gmem2")


@dataclass
class Design:
    """A design: cells with their properties, sets of connected pins, links, and address ranges.

    ``nets`` maps a driver to its loads, ``links`` a master interface to a slave, ``memory`` a
    master of the engine to (slave, offset, bytes).
    """

    cells: dict[str, str] = field(default_factory=dict)
    properties: dict[str, dict[str, str]] = field(default_factory=dict)
    nets: dict[str, set[str]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    memory: dict[str, set[tuple[str, int, int]]] = field(default_factory=dict)
    registers: set[str] = field(default_factory=set)
    ports: set[str] = field(default_factory=set)


def expected(board: dict[str, Any]) -> Design:
    """Return the design for the content of a board file."""
    zynq = board["family"] == "zynq7000"
    system = board["processing_system"]
    used = system["memory_ports"][: len(MASTERS)]
    served = {port: MASTERS[index :: len(used)] for index, port in enumerate(used)}
    names = {p: f"S_AXI_{p}" if zynq else f"S_AXI_{p}_FPD" for p in used}
    clock, reset, irq, control = (
        ("FCLK_CLK0", "FCLK_RESET0_N", "IRQ_F2P", "M_AXI_GP0")
        if zynq
        else ("pl_clk0", "pl_resetn0", "pl_ps_irq0", "M_AXI_HPM0_FPD")
    )
    design = Design()
    interconnect = "axi_interconnect" if zynq else "smartconnect"
    links = {f"memory_axi_{port.lower()}": len(masters) for port, masters in served.items()}
    design.cells = {
        "ps": "processing_system7" if zynq else "zynq_ultra_ps_e",
        "acs_engine_0": "acs_engine",
        "reset_0": "proc_sys_reset",
        "axi_intc_0": "axi_intc",
        "control_axi": interconnect,
        **dict.fromkeys(links, interconnect),
    }
    design.properties = {"ps": ps_properties(board, used), "axi_intc_0": {"C_IRQ_CONNECTION": "1"}}
    for cell, slaves, masters in (("control_axi", 1, 2), *((c, n, 1) for c, n in links.items())):
        design.properties[cell] = {"NUM_SI": str(slaves), "NUM_MI": str(masters)}

    clocked = {"acs_engine_0/ap_clk", "reset_0/slowest_sync_clk", "axi_intc_0/s_axi_aclk"}
    resets = {"acs_engine_0/ap_rst_n", "axi_intc_0/s_axi_aresetn"}
    wide = set()
    if zynq:
        clocked |= {"ps/M_AXI_GP0_ACLK", *(f"ps/S_AXI_{p}_ACLK" for p in used)}
        for cell, slaves, masters in (
            ("control_axi", 1, 2),
            *((c, n, 1) for c, n in links.items()),
        ):
            sides = [f"S{i:02}" for i in range(slaves)] + [f"M{i:02}" for i in range(masters)]
            clocked |= {f"{cell}/ACLK", *(f"{cell}/{side}_ACLK" for side in sides)}
            resets |= {f"{cell}/{side}_ARESETN" for side in sides}
            wide.add(f"{cell}/ARESETN")
    else:
        clocked |= {"ps/maxihpm0_fpd_aclk", *(f"ps/saxi{p.lower()}_fpd_aclk" for p in used)}
        clocked |= {f"{cell}/aclk" for cell in ("control_axi", *links)}
        wide |= {f"{cell}/aresetn" for cell in ("control_axi", *links)}
    design.nets = {
        f"ps/{clock}": clocked,
        f"ps/{reset}": {"reset_0/ext_reset_in"},
        "reset_0/peripheral_aresetn": resets,
        "reset_0/interconnect_aresetn": wide,
        "acs_engine_0/interrupt": {"axi_intc_0/intr"},
        "axi_intc_0/irq": {f"ps/{irq}"},
    }
    design.links = {
        f"ps/{control}": "control_axi/S00_AXI",
        "control_axi/M00_AXI": "acs_engine_0/s_axi_control",
        "control_axi/M01_AXI": "axi_intc_0/s_axi",
    }
    for port, masters in served.items():
        cell = f"memory_axi_{port.lower()}"
        for index, master in enumerate(masters):
            design.links[f"acs_engine_0/m_axi_{master}"] = f"{cell}/S{index:02}_AXI"
        design.links[f"{cell}/M00_AXI"] = f"ps/{names[port]}"
    if zynq:
        design.links |= {"ps/DDR": "DDR", "ps/FIXED_IO": "FIXED_IO"}
        design.ports = {"DDR", "FIXED_IO"}
    # The engine reaches all of the memory below 2 GiB from address 0.
    low = min(system["memory_mib"], 2048) << 20
    design.memory = {
        master: {(f"ps/{names[port]}", 0, low)}
        for port, masters in served.items()
        for master in masters
    }
    design.registers = {"acs_engine_0/s_axi_control", "axi_intc_0/s_axi"}
    return design


def ps_properties(board: dict[str, Any], used: list[str]) -> dict[str, str]:
    """Return the properties of the processing system that the board file asks for."""
    memory, system = board["memory"], board["processing_system"]
    clock = f"{board['clock_mhz']:g}"
    width = str(memory["port_bits"])
    wanted = {key: _text(value) for key, value in system["settings"].items()}
    if board["family"] == "zynq7000":
        wanted |= {
            "PCW_CRYSTAL_PERIPHERAL_FREQMHZ": _text(memory["crystal_mhz"]),
            "PCW_FPGA0_PERIPHERAL_FREQMHZ": clock,
            "PCW_FCLK0_PERIPHERAL_CLKSRC": "IO PLL",
            "PCW_USE_M_AXI_GP0": "1",
            "PCW_USE_FABRIC_INTERRUPT": "1",
            "PCW_IRQ_F2P_INTR": "1",
        }
        for port in used:
            wanted |= {f"PCW_USE_S_AXI_{port}": "1", f"PCW_S_AXI_{port}_DATA_WIDTH": width}
    else:
        wanted |= {
            "PSU__PSS_REF_CLK__FREQMHZ": _text(memory["crystal_mhz"]),
            "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ": clock,
            "PSU__CRL_APB__PL0_REF_CTRL__SRCSEL": "IOPLL",
            "PSU__USE__M_AXI_GP0": "1",
            "PSU__USE__M_AXI_GP1": "0",
            "PSU__USE__IRQ0": "1",
        }
        # Among the properties, HP0 is S_AXI_GP2 (their segments are SAXIGP2/HP0_DDR_LOW).
        numbers = {"HP0": 2, "HP1": 3, "HP2": 4, "HP3": 5}
        for port in used:
            number = numbers[port]
            wanted |= {
                f"PSU__USE__S_AXI_GP{number}": "1",
                f"PSU__SAXIGP{number}__DATA_WIDTH": width,
            }
    return wanted


def recorded(record: dict[str, Any]) -> Design:
    """Return the design in a record that the model of Vivado wrote."""
    design = Design()
    design.cells = {name: cell["ip"] for name, cell in record["cells"].items()}
    design.properties = {name: cell["config"] for name, cell in record["cells"].items()}
    design.nets = {net[0]: set(net[1:]) for net in record["nets"]}
    design.links = dict(record["links"])
    design.ports = set(record["ports"])
    for segment in record["segments"]:
        space = segment["space"]
        if space == "ps/Data":
            design.registers.add(segment["target"])
        elif int(segment["offset"], 0) == 0:
            master = space.rsplit("m_axi_", 1)[-1]
            entry = (segment["target"], 0, _bytes(segment["range"]))
            design.memory.setdefault(master, set()).add(entry)
    return design


def _text(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _bytes(text: str) -> int:
    units = {"K": 2**10, "M": 2**20, "G": 2**30}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text, 0)
