# Commands of block designs; see vivado.tcl.

proc create_bd_design {name} {
  model::require project project
  model::add design $name
  dict set model::props design name $name
  return $name
}

proc create_bd_cell {args} {
  lassign [model::options create_bd_cell $args {-type -vlnv -reference} {}] given rest
  if {[dict get $given -type] ne "ip"} { model::fail "BD 5-104" "a cell of type [dict get $given -type]" }
  set cell [lindex $rest 0]
  if {[dict exists $model::cells $cell]} { model::fail "BD 5-148" "the cell $cell is there already" }
  set vlnv [split [dict get $given -vlnv] :]
  lassign $vlnv vendor library ip version
  if {"$vendor:$library" eq "xilinx.com:ip" && $ip in {processing_system7 zynq_ultra_ps_e axi_interconnect smartconnect axi_intc proc_sys_reset}} {
    if {$version ne ""} { model::fail "BD 5-390" "IP definition not found for VLNV: [join $vlnv :]" }
  } elseif {[join $vlnv :] ne "xilinx.com:hls:acs_engine:1.0" || ![dict size $model::engine]} {
    model::fail "BD 5-390" "IP definition not found for VLNV: [join $vlnv :]"
  }
  set family [expr {[string match xc7z* [dict get $model::props project part]] ? "processing_system7" : "zynq_ultra_ps_e"}]
  if {$ip in {processing_system7 zynq_ultra_ps_e} && $ip ne $family} {
    model::fail "BD 41-1348" "$ip is not for this part"
  }
  dict set model::cells $cell [dict create ip $ip config [dict create]]
  foreach {name pattern} [catalog::properties $ip] {
    set value [catalog::default_of $ip $name]
    if {$value ne ""} { dict set model::cells $cell config $name $value }
  }
  return [model::add cell $cell]
}

proc create_bd_intf_port {args} {
  lassign [model::options create_bd_intf_port $args {-mode -vlnv} {}] given rest
  set kinds {xilinx.com:interface:ddrx_rtl:1.0 ddrx xilinx.com:display_processing_system7:fixedio_rtl:1.0 fixedio}
  if {![dict exists $kinds [dict get $given -vlnv]]} { model::fail "BD 41-1021" "no interface [dict get $given -vlnv]" }
  set name [lindex $rest 0]
  dict set model::ports $name [list [dict get $given -mode] [dict get $kinds [dict get $given -vlnv]]]
  return [model::add intf_port $name]
}

# The get_ commands: patterns without a match are an error here, and a warning in Vivado.
proc getter {command kind what pattern} {
  if {[lsearch -exact $what $pattern] < 0} { model::fail "BD 5-232" "No $kind matched '$command $pattern'" }
  return [model::add $kind $pattern]
}
proc get_bd_cells {name} { getter get_bd_cells cell [dict keys $model::cells] $name }
proc get_bd_pins {name} { getter get_bd_pins pin [dict keys [model::all_pins]] $name }
proc get_bd_intf_pins {name} { getter get_bd_intf_pins intf_pin [dict keys [model::all_interfaces]] $name }
proc get_bd_intf_ports {name} { getter get_bd_intf_ports intf_port [dict keys $model::ports] $name }

proc connect_bd_net {args} {
  lassign [model::options connect_bd_net $args {-net} {}] given pins
  if {[llength $pins] < 2} { model::fail "BD 5-4" "a net needs two pins: $pins" }
  set all [model::all_pins]
  set net {}
  foreach pin $pins {
    model::require pin $pin
    set old [model::net_of $pin]
    if {$old ne ""} {
      # A pin that is connected lends its net; two nets do not become one.
      if {$net ne "" && $net ne $old} { model::fail "BD 41-1753" "$pin is on another net already" }
      set net $old
    }
  }
  set whole [lsort -unique [concat $net $pins]]
  set drivers [lmap pin $whole { if {[string index [dict get $all $pin] 0] ne "O"} continue; set pin }]
  if {[llength $drivers] != 1} { model::fail "BD 41-1306" "[llength $drivers] drivers on one net: [join $whole {, }]" }
  set kinds [lsort -unique [lmap pin $whole { lindex [dict get $all $pin] 1 }]]
  if {[llength $kinds] != 1} { model::fail "BD 41-1731" "Type mismatch between connected pins: [join $whole {, }]" }
  foreach pin $pins {
    if {$net eq "" || [lsearch -exact $net $pin] < 0} continue
    if {$pin ni $drivers} { model::fail "BD 41-1753" "$pin is connected twice" }
  }
  set loads [lmap pin $whole { if {$pin in $drivers} continue; set pin }]
  set model::nets [lsearch -all -inline -not -exact $model::nets $net]
  lappend model::nets [concat $drivers $loads]
  return net
}

proc connect_bd_intf_net {args} {
  lassign [model::options connect_bd_intf_net $args {-intf_net} {}] given sides
  if {[llength $sides] != 2} { model::fail "BD 5-4" "an interface net has two ends: $sides" }
  set what [dict create]
  foreach side $sides {
    if {[model::partner $side] ne ""} { model::fail "BD 41-171" "$side is connected twice" }
    switch [model::kind $side] {
      intf_pin  { dict set what $side [lrange [dict get [model::all_interfaces] $side] 0 1] }
      # A port's own mode is that of the outside.
      intf_port { dict set what $side [list Slave [lindex [dict get $model::ports $side] 1]] }
      default   { model::fail "BD 41-1021" "$side is no interface" }
    }
  }
  lassign $sides a b
  if {[lindex [dict get $what $a] 1] ne [lindex [dict get $what $b] 1]} { model::fail "BD 41-1021" "$a and $b are interfaces of two kinds" }
  if {[lindex [dict get $what $a] 0] eq [lindex [dict get $what $b] 0]} { model::fail "BD 41-1021" "$a and $b are both [lindex [dict get $what $a] 0]" }
  if {[lindex [dict get $what $a] 0] eq "Slave"} { lassign $sides b a }
  lappend model::links [list $a $b]
  return intf_net
}

proc assign_bd_address {args} {
  if {[llength $args]} { model::fail "BD 41-70" "arguments of assign_bd_address are not modelled" }
  model::assign
}

proc get_bd_addr_spaces {args} {
  lassign [model::options get_bd_addr_spaces $args {-of_objects -filter} {}] given rest
  set all [model::spaces]
  if {[dict exists $given -of_objects]} {
    set of [dict get $given -of_objects]
    set found [lmap space [dict keys $all] { if {[dict get $all $space] ne $of} continue; set space }]
  } else {
    set found [lsearch -all -inline -glob [dict keys $all] [lindex $rest 0]]
  }
  foreach space $found { model::add space $space }
  return $found
}

proc get_bd_addr_segs {args} {
  lassign [model::options get_bd_addr_segs $args {-of_objects -filter} {}] given rest
  set found {}
  dict for {segment what} $model::segments {
    if {[dict exists $given -of_objects] && [dict get $what space] ni [dict get $given -of_objects]} continue
    if {[dict exists $given -filter]} {
      if {![regexp {^NAME =~ (\S+)$} [dict get $given -filter] -> pattern]} { model::fail "Common 17-163" "filter [dict get $given -filter]" }
      if {![string match $pattern [dict get $what name]]} continue
    }
    lappend found $segment
  }
  return $found
}

proc validate_bd_design {} {
  set wrong {}
  set all [model::all_pins]
  dict for {pin what} $all {
    if {[lindex $what 0] eq "I" && [model::net_of $pin] eq ""} { lappend wrong "$pin ([lindex $what 1]) is not connected" }
  }
  set interfaces [model::all_interfaces]
  dict for {interface what} $interfaces {
    if {[model::partner $interface] eq ""} { lappend wrong "the interface $interface is not connected" }
  }
  foreach pair $model::links {
    lassign $pair master slave
    if {![dict exists $interfaces $slave]} continue
    lassign [dict get $interfaces $master] - - width_a clock_a protocol_a
    lassign [dict get $interfaces $slave] - - width_b clock_b protocol_b
    if {$clock_a eq "" || $clock_b eq ""} continue
    # The two ends of a link run on one clock.
    set drivers {}
    foreach {side clock} [list $master $clock_a $slave $clock_b] {
      lappend drivers [lindex [model::net_of [lindex [split $side /] 0]/$clock] 0]
    }
    if {[lindex $drivers 0] ne [lindex $drivers 1]} { lappend wrong "$master and $slave are on different clocks: [join $drivers { and }]" }
    if {"any" ni [list $protocol_a $protocol_b] && ($protocol_a ne $protocol_b || $width_a != $width_b)} {
      lappend wrong "$master ($protocol_a, $width_a bits) does not fit $slave ($protocol_b, $width_b bits)"
    }
  }
  # Every slave has an address of its own in every space, and no two overlap.
  foreach cell [dict keys $model::cells] {
    foreach {name what} [model::cell_interfaces $cell] {
      if {[lindex $what 0] eq "Slave" && [lindex $what 1] eq "aximm" && [dict get $model::cells $cell ip] ni {axi_interconnect smartconnect}} {
        set mapped 0
        dict for {- segment} $model::segments { if {[dict get $segment target] eq "$cell/$name"} { set mapped 1 } }
        if {!$mapped} { lappend wrong "$cell/$name is in no address space" }
      }
    }
  }
  if {[llength $wrong]} { model::fail "BD 41-758" "validation failed:\n  [join $wrong "\n  "]" }
  dict set model::state validated 1
  model::record
}

proc save_bd_design {} { model::require design [dict get $model::props design name] }
