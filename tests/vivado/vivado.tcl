# Vivado's commands, for tclsh: a model that records a design, and refuses what Vivado would refuse.
#
# Commands, options, objects and properties that are not here are errors, and so are pins that a cell does
# not have, pins with two drivers, interfaces that are connected twice, and clocks, resets, interrupts or
# interfaces that stay open.  validate_bd_design writes the design to the file in FAKE_RECORD, as JSON.
#
# FAKE_FAULT makes runs go wrong: synth_fail, impl_fail, timing, hold, unconstrained, no_bit, no_hwh.

source [file join [file dirname [info script]] catalog.tcl]

namespace eval model {
  variable kinds    [dict create]   ;# every object, and its kind
  variable props    [dict create]   ;# of objects other than cells
  variable cells    [dict create]   ;# cell -> ip, config
  variable nets     [list]          ;# a net: its driver, then its loads
  variable links    [list]          ;# pairs of interfaces
  variable segments [dict create]   ;# segment -> space, target, offset, range
  variable ports    [dict create]
  variable engine   [dict create]   ;# interfaces of the packaged engine, from the IP's file
  variable core     [dict create]
  variable state    [dict create fake "" validated 0 opened 0 synthesized 0]
  if {[info exists ::env(FAKE_FAULT)]} { dict set state fake $::env(FAKE_FAULT) }

  proc fail {id text} { error "ERROR: \[$id\] $text" }

  # Splits arguments into options and the rest; flags have no value.  Others than those named are errors.
  proc options {command arguments valued flags} {
    set found [dict create]
    set rest [list]
    for {set i 0} {$i < [llength $arguments]} {incr i} {
      set word [lindex $arguments $i]
      if {[string match -* $word] && ![string is double -strict $word]} {
        if {[lsearch -exact $valued $word] >= 0} {
          dict set found $word [lindex $arguments [incr i]]
        } elseif {[lsearch -exact $flags $word] >= 0 || $word eq "-quiet"} {
          dict set found $word 1
        } else {
          fail "Common 17-170" "Unknown option '$word', please type '$command -help' for usage info."
        }
      } else {
        lappend rest $word
      }
    }
    return [list $found $rest]
  }

  proc add {kind object} { variable kinds; dict set kinds $object $kind; return $object }
  proc require {kind object} {
    variable kinds
    if {![dict exists $kinds $object] || [dict get $kinds $object] ne $kind} {
      fail "Common 17-69" "'$object' is no $kind"
    }
  }
  proc kind {object} {
    variable kinds
    if {![dict exists $kinds $object]} { fail "Common 17-55" "'get_property' expects an object, not '$object'" }
    return [dict get $kinds $object]
  }

  # ---- Pins
  proc cell_pins {cell} {
    variable cells
    set ip [dict get $cells $cell ip]
    if {$ip eq "acs_engine"} { return {ap_clk {I clk} ap_rst_n {I rst} interrupt {O intr}} }
    return [catalog::pins $ip [dict get $cells $cell config]]
  }
  proc cell_interfaces {cell} {
    variable cells; variable engine
    set ip [dict get $cells $cell ip]
    if {$ip eq "acs_engine"} { return $engine }
    return [catalog::interfaces $ip [dict get $cells $cell config]]
  }
  proc all_pins {} {
    variable cells
    set found [dict create]
    foreach cell [dict keys $cells] { dict for {name what} [cell_pins $cell] { dict set found $cell/$name $what } }
    return $found
  }
  proc all_interfaces {} {
    variable cells
    set found [dict create]
    foreach cell [dict keys $cells] { dict for {name what} [cell_interfaces $cell] { dict set found $cell/$name $what } }
    return $found
  }
  proc net_of {pin} {
    variable nets
    foreach net $nets { if {[lsearch -exact $net $pin] >= 0} { return $net } }
    return {}
  }
  proc partner {interface} {
    variable links
    foreach pair $links {
      set at [lsearch -exact $pair $interface]
      if {$at >= 0} { return [lindex $pair [expr {1 - $at}]] }
    }
    return {}
  }

  # ---- Addresses: which slaves a master reaches, through interconnects
  proc reached {master} {
    variable cells
    set other [partner $master]
    if {$other eq ""} { return {} }
    set cell [lindex [split $other /] 0]
    if {[dict exists $cells $cell] && [dict get $cells $cell ip] in {axi_interconnect smartconnect}} {
      set found {}
      dict for {name what} [cell_interfaces $cell] {
        if {[lindex $what 0] eq "Master"} { lappend found {*}[reached $cell/$name] }
      }
      return $found
    }
    return [list $other]
  }

  proc assign {} {
    variable cells; variable segments
    set next 0x40000000
    foreach cell [dict keys $cells] {
      set ip [dict get $cells $cell ip]
      if {$ip eq "zynq_ultra_ps_e"} { set next 0xA0000000 }
      if {$ip ni {processing_system7 zynq_ultra_ps_e}} { continue }
      foreach {name what} [cell_interfaces $cell] {
        if {[lindex $what 0] ne "Master" || [lindex $what 1] ne "aximm"} { continue }
        foreach slave [reached $cell/$name] {
          set target [lindex [split $slave /] 0]
          set segment $cell/Data/SEG_${target}_Reg
          dict set segments $segment [dict create space $cell/Data name SEG_${target}_Reg target $slave \
            offset [format 0x%08X $next] range 64K]
          add segment $segment
          incr next 0x10000
        }
      }
    }
    foreach cell [dict keys $cells] {
      if {[dict get $cells $cell ip] ne "acs_engine"} { continue }
      dict for {name what} [cell_interfaces $cell] {
        if {[lindex $what 0] ne "Master"} { continue }
        foreach slave [reached $cell/$name] { assign_memory $cell/$name $slave }
      }
    }
  }
  proc assign_memory {master slave} {
    variable cells; variable segments
    lassign [split $slave /] ps port
    set ip [dict get $cells $ps ip]
    set mib [catalog::memory_mib $ip [dict get $cells $ps config]]
    if {$mib == 0} { fail "BD 41-703" "no external memory is set up for $slave" }
    regexp {HP[0-3]} $port hp
    lassign [split $master /] cell name
    set space $cell/Data_$name
    if {$ip eq "processing_system7"} {
      set parts [list ${hp}_DDR_LOWOCM 0x00000000 [format 0x%08X [expr {$mib << 20}]]]
    } else {
      set parts [list ${hp}_DDR_LOW 0x00000000 [expr {$mib >= 2048 ? "2G" : "${mib}M"}]]
      if {$mib > 2048} { lappend parts ${hp}_DDR_HIGH 0x000800000000 [expr {$mib - 2048}]M }
      lappend parts ${hp}_QSPI 0xC0000000 512M
    }
    foreach {part offset range} $parts {
      dict set segments $space/SEG_ps_$part [dict create space $space name SEG_ps_$part target $slave offset $offset range $range]
      add segment $space/SEG_ps_$part
    }
  }
  proc spaces {} {
    variable cells
    set found [dict create]
    foreach cell [dict keys $cells] {
      set ip [dict get $cells $cell ip]
      if {$ip in {processing_system7 zynq_ultra_ps_e}} { dict set found $cell/Data $cell }
      if {$ip eq "acs_engine"} {
        dict for {name what} [cell_interfaces $cell] {
          if {[lindex $what 0] eq "Master"} { dict set found $cell/Data_$name $cell/$name }
        }
      }
    }
    return $found
  }

  # ---- JSON
  proc text {value} { return "\"[string map {\\ \\\\ \" \\\" \n \\n} $value]\"" }
  proc record {} {
    variable cells; variable nets; variable links; variable segments; variable ports; variable props
    if {![info exists ::env(FAKE_RECORD)]} { return }
    set parts {}
    foreach cell [lsort [dict keys $cells]] {
      set config {}
      dict for {name value} [dict get $cells $cell config] { lappend config "[text $name]: [text $value]" }
      lappend parts "[text $cell]: {\"ip\": [text [dict get $cells $cell ip]], \"config\": {[join $config {, }]}}"
    }
    set out "{\"part\": [text [dict get $props project part]],\n \"cells\": {[join $parts ",\n  "]},\n"
    set parts {}
    foreach net $nets { lappend parts "\[[join [lmap pin $net {text $pin}] {, }]\]" }
    append out " \"nets\": \[[join $parts ",\n  "]\],\n"
    set parts {}
    foreach pair $links { lappend parts "\[[join [lmap side $pair {text $side}] {, }]\]" }
    append out " \"links\": \[[join $parts ",\n  "]\],\n"
    set parts {}
    dict for {name what} $segments {
      lappend parts "{\"space\": [text [dict get $what space]], \"name\": [text [dict get $what name]], \"target\": [text [dict get $what target]], \"offset\": [text [dict get $what offset]], \"range\": [text [dict get $what range]]}"
    }
    append out " \"segments\": \[[join $parts ",\n  "]\],\n"
    append out " \"ports\": \[[join [lmap port [lsort [dict keys $ports]] {text $port}] {, }]\]}\n"
    set file [open $::env(FAKE_RECORD) w]
    puts $file $out
    close $file
  }
}

source [file join [file dirname [info script]] vivado_design.tcl]
source [file join [file dirname [info script]] vivado_runs.tcl]
source [file join [file dirname [info script]] vivado_package.tcl]
