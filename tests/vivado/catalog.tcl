# What Vivado's IPs are like, as far as block designs of this kind use them: properties with the values
# that they take, pins, and interfaces with their protocol, width and clock.
#
# Names as in public block designs that Vivado itself wrote (write_bd_tcl) and in presets of the boards, not
# from the templates that the model judges.  The IPs' product guides (PG082, PG201, PG059, PG247, PG099,
# PG164) have not been gone through line by line.

namespace eval catalog {
  # A property is a name (or a pattern) and the pattern of its values.
  variable bit     {^[01]$}
  variable number  {^-?[0-9]+(\.[0-9]+)?$}
  variable mio     {^MIO [0-9]+ \.\. [0-9]+$|^MIO [0-9]+$|^EMIO$|^MIO 13 \.\. 16 21 22$}

  # Memory devices by the IP's names, with their capacity in MBit and their width.
  variable ps7_memories {
    {MT41J128M16 HA-15E} {2048 16}
    {MT41J256M16 RE-125} {4096 16}
    {MT41K256M16 RE-125} {4096 16}
    {MT41J64M16 JT-125G} {1024 16}
  }

  proc properties {ip} {
    variable bit; variable number; variable mio; variable ps7_memories
    switch $ip {
      processing_system7 {
        set found [list \
          PCW_CRYSTAL_PERIPHERAL_FREQMHZ $number PCW_APU_PERIPHERAL_FREQMHZ $number \
          PCW_PRESET_BANK0_VOLTAGE {^LVCMOS (1.8|2.5|3.3)V$} PCW_PRESET_BANK1_VOLTAGE {^LVCMOS (1.8|2.5|3.3)V$} \
          PCW_UIPARAM_DDR_MEMORY_TYPE {^(DDR 3|DDR 3 \(Low Voltage\)|DDR 2|LPDDR 2)$} \
          PCW_UIPARAM_DDR_PARTNO "^([join [dict keys $ps7_memories] |])$" \
          PCW_UIPARAM_DDR_BUS_WIDTH {^(16|32) Bit$} PCW_UIPARAM_DDR_FREQ_MHZ $number \
          PCW_UIPARAM_DDR_USE_INTERNAL_VREF $bit \
          PCW_IRQ_F2P_INTR $bit PCW_USE_FABRIC_INTERRUPT $bit PCW_IRQ_F2P_MODE {^(DIRECT|REVERSE)$} \
          PCW_GPIO_MIO_GPIO_ENABLE $bit PCW_QSPI_GRP_SINGLE_SS_ENABLE $bit]
        foreach i {0 1 2 3} {
          lappend found PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_$i $number PCW_UIPARAM_DDR_BOARD_DELAY$i $number
          lappend found PCW_FCLK${i}_PERIPHERAL_CLKSRC {^(IO PLL|ARM PLL|DDR PLL|External)$}
          lappend found PCW_FPGA${i}_PERIPHERAL_FREQMHZ $number PCW_FPGA_FCLK${i}_ENABLE $bit
          lappend found PCW_EN_CLK${i}_PORT $bit PCW_EN_RST${i}_PORT $bit
          lappend found PCW_USE_S_AXI_HP$i $bit PCW_S_AXI_HP${i}_DATA_WIDTH {^(32|64)$}
        }
        foreach i {0 1} { lappend found PCW_USE_M_AXI_GP$i $bit PCW_USE_S_AXI_GP$i $bit }
        foreach peripheral {QSPI ENET0 ENET1 SD0 SD1 UART0 UART1 USB0 I2C0} {
          lappend found PCW_${peripheral}_PERIPHERAL_ENABLE $bit PCW_${peripheral}_${peripheral}_IO $mio
        }
        lappend found PCW_ENET0_GRP_MDIO_ENABLE $bit PCW_ENET0_GRP_MDIO_IO $mio
        foreach group {CD WP} { lappend found PCW_SD0_GRP_${group}_ENABLE $bit PCW_SD0_GRP_${group}_IO $mio }
        return $found
      }
      zynq_ultra_ps_e {
        set found [list \
          PSU__PSS_REF_CLK__FREQMHZ $number PSU__CRF_APB__DDR_CTRL__FREQMHZ $number \
          PSU__DDRC__MEMORY_TYPE {^(DDR 3|DDR 4|LPDDR 3|LPDDR 4)$} PSU__DDRC__COMPONENTS {^(Components|UDIMM|RDIMM)$} \
          PSU__DDRC__SPEED_BIN {^(DDR4_(1600|1866|2133|2400)[A-Z]|LPDDR4_(1066|1333|1600|2400))$} \
          PSU__DDRC__BUS_WIDTH {^(16|32|64) Bit$} PSU__DDRC__DRAM_WIDTH {^(4|8|16|32) Bits$} \
          PSU__DDRC__DEVICE_CAPACITY {^(2048|4096|8192|16384) MBits$} \
          PSU__DDRC__ECC {^(Disabled|Enabled)$} PSU__DDRC__VREF $bit \
          PSU__DDR_HIGH_ADDRESS_GUI_ENABLE $bit PSU__USE__IRQ0 $bit PSU__USE__IRQ1 $bit]
        foreach name {RANK_ADDR_COUNT BG_ADDR_COUNT BANK_ADDR_COUNT ROW_ADDR_COUNT COL_ADDR_COUNT CL CWL
                      T_RCD T_RP T_RC T_RAS_MIN T_FAW} { lappend found PSU__DDRC__$name $number }
        foreach i {0 1 2 3} {
          lappend found PSU__FPGA_PL${i}_ENABLE $bit PSU_BANK_${i}_IO_STANDARD {^LVCMOS(18|25|33)$}
          lappend found PSU__CRL_APB__PL${i}_REF_CTRL__SRCSEL {^(IOPLL|RPLL|DPLL)$}
          lappend found PSU__CRL_APB__PL${i}_REF_CTRL__FREQMHZ $number
        }
        foreach i {0 1 2} { lappend found PSU__USE__M_AXI_GP$i $bit PSU__MAXIGP${i}__DATA_WIDTH {^(32|64|128)$} }
        foreach i {0 1 2 3 4 5 6} { lappend found PSU__USE__S_AXI_GP$i $bit PSU__SAXIGP${i}__DATA_WIDTH {^(32|64|128)$} }
        foreach peripheral {QSPI SD0 SD1 UART0 UART1 I2C0 I2C1 ENET3} {
          lappend found PSU__${peripheral}__PERIPHERAL__ENABLE $bit PSU__${peripheral}__PERIPHERAL__IO $mio
        }
        lappend found PSU__QSPI__PERIPHERAL__DATA_MODE {^x[124]$} PSU__QSPI__PERIPHERAL__MODE {^(Single|Dual Parallel)$}
        lappend found PSU__ENET3__GRP_MDIO__ENABLE $bit PSU__ENET3__GRP_MDIO__IO $mio
        foreach sd {SD0 SD1} { lappend found PSU__${sd}__SLOT_TYPE {^(SD 2.0|SD 3.0|eMMC)$} PSU__${sd}__GRP_CD__ENABLE $bit PSU__${sd}__GRP_CD__IO $mio }
        return $found
      }
      axi_interconnect { return {NUM_SI {^([1-9]|1[0-6])$} NUM_MI {^([1-9]|[1-5][0-9]|6[0-4])$} STRATEGY {^[012]$}} }
      smartconnect     { return {NUM_SI {^([1-9]|1[0-6])$} NUM_MI {^([1-9]|1[0-6])$} NUM_CLKS {^[1-9]$}} }
      axi_intc         { return {C_IRQ_CONNECTION {^[01]$} C_IRQ_IS_LEVEL {^[01]$} C_HAS_FAST {^[01]$} C_NUM_INTR_INPUTS {^[0-9]+$}} }
      proc_sys_reset   { return {C_EXT_RST_WIDTH {^[0-9]+$} C_AUX_RESET_HIGH {^[01]$} C_EXT_RESET_HIGH {^[01]$}} }
      default          { return {} }
    }
  }

  # The value of a property of a new cell, "" if nobody has said it.
  proc default_of {ip name} {
    set known {
      processing_system7 {PCW_USE_M_AXI_GP0 1 PCW_EN_CLK0_PORT 1 PCW_EN_RST0_PORT 1 PCW_FPGA_FCLK0_ENABLE 1
                          PCW_CRYSTAL_PERIPHERAL_FREQMHZ 33.333333 PCW_FPGA0_PERIPHERAL_FREQMHZ 50
                          PCW_UIPARAM_DDR_BUS_WIDTH {32 Bit}}
      zynq_ultra_ps_e    {PSU__USE__M_AXI_GP0 1 PSU__USE__M_AXI_GP1 1 PSU__USE__IRQ0 0 PSU__FPGA_PL0_ENABLE 1
                          PSU__PSS_REF_CLK__FREQMHZ 33.333 PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ 100
                          PSU__CRL_APB__PL0_REF_CTRL__SRCSEL IOPLL PSU__MAXIGP0__DATA_WIDTH 128}
      axi_interconnect   {NUM_SI 1 NUM_MI 2}
      smartconnect       {NUM_SI 2 NUM_MI 1 NUM_CLKS 1}
      axi_intc           {C_IRQ_CONNECTION 0 C_IRQ_IS_LEVEL 1}
      proc_sys_reset     {}
    }
    if {[dict exists $known $ip $name]} { return [dict get $known $ip $name] }
    return ""
  }

  # Pins of a cell with these properties: name {direction kind}; kinds are clk, rst (active low), rst_high, intr, data.
  # Those that may stay open end in "?": the tool drives them with a constant.
  proc pins {ip config} {
    set on [list]
    switch $ip {
      processing_system7 {
        if {[value $config PCW_EN_CLK0_PORT]} { lappend on FCLK_CLK0 {O clk} }
        if {[value $config PCW_EN_RST0_PORT]} { lappend on FCLK_RESET0_N {O rst} }
        foreach i {1 2 3} { if {[value $config PCW_EN_CLK${i}_PORT]} { lappend on FCLK_CLK$i {O clk} } }
        if {[value $config PCW_USE_M_AXI_GP0]} { lappend on M_AXI_GP0_ACLK {I clk} }
        if {[value $config PCW_USE_M_AXI_GP1]} { lappend on M_AXI_GP1_ACLK {I clk} }
        foreach i {0 1 2 3} { if {[value $config PCW_USE_S_AXI_HP$i]} { lappend on S_AXI_HP${i}_ACLK {I clk} } }
        if {[value $config PCW_USE_FABRIC_INTERRUPT] && [value $config PCW_IRQ_F2P_INTR]} { lappend on IRQ_F2P {I intr} }
      }
      zynq_ultra_ps_e {
        lappend on pl_resetn0 {O rst}
        if {[value $config PSU__FPGA_PL0_ENABLE]} { lappend on pl_clk0 {O clk} }
        foreach {i pin} {0 maxihpm0_fpd_aclk 1 maxihpm1_fpd_aclk 2 maxihpm0_lpd_aclk} {
          if {[value $config PSU__USE__M_AXI_GP$i]} { lappend on $pin {I clk} }
        }
        foreach {i pin} {0 saxihpc0_fpd_aclk 1 saxihpc1_fpd_aclk 2 saxihp0_fpd_aclk 3 saxihp1_fpd_aclk
                         4 saxihp2_fpd_aclk 5 saxihp3_fpd_aclk} {
          if {[value $config PSU__USE__S_AXI_GP$i]} { lappend on $pin {I clk} }
        }
        if {[value $config PSU__USE__IRQ0]} { lappend on pl_ps_irq0 {I intr} }
        if {[value $config PSU__USE__IRQ1]} { lappend on pl_ps_irq1 {I intr} }
      }
      axi_interconnect {
        lappend on ACLK {I clk} ARESETN {I rst}
        foreach side [sides $config] { lappend on ${side}_ACLK {I clk} ${side}_ARESETN {I rst} }
      }
      smartconnect {
        lappend on aclk {I clk} aresetn {I rst}
        for {set i 1} {$i < [value $config NUM_CLKS]} {incr i} { lappend on aclk$i {I clk} }
      }
      axi_intc {
        lappend on s_axi_aclk {I clk} s_axi_aresetn {I rst} intr {I intr}
        # With a bus interface the pin is part of it.
        if {[value $config C_IRQ_CONNECTION] == 1} { lappend on irq {O intr} }
      }
      proc_sys_reset {
        lappend on slowest_sync_clk {I clk} ext_reset_in {I rst} aux_reset_in {I? rst} \
          mb_debug_sys_rst {I? rst_high} dcm_locked {I? data} mb_reset {O rst_high} bus_struct_reset {O rst_high} \
          peripheral_reset {O rst_high} interconnect_aresetn {O rst} peripheral_aresetn {O rst}
      }
    }
    return $on
  }

  # Interfaces: name {mode kind width clock protocol}; the clock is a pin of the cell.
  proc interfaces {ip config} {
    set on [list]
    switch $ip {
      processing_system7 {
        lappend on DDR {Master ddrx 0 {} {}} FIXED_IO {Master fixedio 0 {} {}}
        foreach i {0 1} { if {[value $config PCW_USE_M_AXI_GP$i]} { lappend on M_AXI_GP$i [list Master aximm 32 M_AXI_GP${i}_ACLK AXI3] } }
        foreach i {0 1 2 3} {
          if {[value $config PCW_USE_S_AXI_HP$i]} {
            lappend on S_AXI_HP$i [list Slave aximm [value $config PCW_S_AXI_HP${i}_DATA_WIDTH 64] S_AXI_HP${i}_ACLK AXI3]
          }
        }
      }
      zynq_ultra_ps_e {
        foreach {i name pin} {0 M_AXI_HPM0_FPD maxihpm0_fpd_aclk 1 M_AXI_HPM1_FPD maxihpm1_fpd_aclk 2 M_AXI_HPM0_LPD maxihpm0_lpd_aclk} {
          if {[value $config PSU__USE__M_AXI_GP$i]} { lappend on $name [list Master aximm [value $config PSU__MAXIGP${i}__DATA_WIDTH 128] $pin AXI4] }
        }
        foreach {i name pin} {0 S_AXI_HPC0_FPD saxihpc0_fpd_aclk 1 S_AXI_HPC1_FPD saxihpc1_fpd_aclk 2 S_AXI_HP0_FPD saxihp0_fpd_aclk
                              3 S_AXI_HP1_FPD saxihp1_fpd_aclk 4 S_AXI_HP2_FPD saxihp2_fpd_aclk 5 S_AXI_HP3_FPD saxihp3_fpd_aclk} {
          if {[value $config PSU__USE__S_AXI_GP$i]} { lappend on $name [list Slave aximm [value $config PSU__SAXIGP${i}__DATA_WIDTH 128] $pin AXI4] }
        }
      }
      axi_interconnect { foreach side [sides $config] { lappend on ${side}_AXI [list [side_mode $side] aximm 0 ${side}_ACLK any] } }
      smartconnect     { foreach side [sides $config] { lappend on ${side}_AXI [list [side_mode $side] aximm 0 aclk any] } }
      axi_intc {
        lappend on s_axi {Slave aximm 32 s_axi_aclk AXI4LITE}
        if {[value $config C_IRQ_CONNECTION] != 1} { lappend on interrupt {Master mbinterrupt 0 {} {}} }
      }
    }
    return $on
  }

  proc sides {config} {
    set found {}
    for {set i 0} {$i < [value $config NUM_SI]} {incr i} { lappend found [format S%02d $i] }
    for {set i 0} {$i < [value $config NUM_MI]} {incr i} { lappend found [format M%02d $i] }
    return $found
  }
  proc side_mode {side} { return [expr {[string index $side 0] eq "S" ? "Slave" : "Master"}] }

  # The value of a property, or a default where it is not set.
  proc value {config name {default 0}} {
    if {[dict exists $config $name] && [dict get $config $name] ne ""} { return [dict get $config $name] }
    return $default
  }

  # Megabytes of external memory that the settings describe; 0 where they do not.
  proc memory_mib {ip config} {
    variable ps7_memories
    if {$ip eq "processing_system7"} {
      set part [value $config PCW_UIPARAM_DDR_PARTNO {}]
      if {$part eq ""} { return 0 }
      lassign [dict get $ps7_memories $part] mbit width
      scan [value $config PCW_UIPARAM_DDR_BUS_WIDTH] %d bus
    } else {
      if {[scan [value $config PSU__DDRC__DEVICE_CAPACITY {}] %d mbit] < 1} { return 0 }
      scan [value $config PSU__DDRC__DRAM_WIDTH {}] %d width
      scan [value $config PSU__DDRC__BUS_WIDTH {}] %d bus
    }
    return [expr {$mbit / 8 * ($bus / $width)}]
  }

  # The PLL, the two divisors and the clock that come of a request.  Vivado's own choice of the PLL was
  # seen in designs that it wrote: 1000 MHz on a Zynq-7000 with Ethernet, 1600 without.
  proc clock {ip config} {
    if {$ip eq "processing_system7"} {
      set wanted [value $config PCW_FPGA0_PERIPHERAL_FREQMHZ]
      set crystal [expr {double([value $config PCW_CRYSTAL_PERIPHERAL_FREQMHZ])}]
      set target [expr {[value $config PCW_ENET0_PERIPHERAL_ENABLE] ? 1000.0 : 1600.0}]
      set pll [expr {round($target / $crystal) * $crystal}]
    } else {
      set wanted [value $config PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ]
      set pll [expr {45.0 * [value $config PSU__PSS_REF_CLK__FREQMHZ]}]
    }
    # The two divisors have six bits each.
    set best {0 0 0}
    for {set a 1} {$a < 64} {incr a} {
      set b [expr {max(1, int(ceil($pll / $a / $wanted - 1e-5)))}]
      set mhz [expr {$pll / $a / $b}]
      if {$b < 64 && $mhz > [lindex $best 2] + 1e-6} { set best [list $b $a $mhz] }
    }
    return [list $pll {*}$best]
  }
}
