# Commands that package the RTL as an IP; see vivado.tcl.  Interfaces come of the ports of the top module,
# by their names, as Vivado infers them.

namespace eval ipx {}

proc ipx::package_project {args} {
  lassign [model::options ipx::package_project $args {-root_dir -vendor -library -taxonomy -set_current} {-import_files -force}] given rest
  set top [dict get $model::props sources_1 top]
  set path ""
  dict for {file what} [dict get $model::props files] {
    if {[file rootname [file tail $file]] eq $top} { set path $file }
    if {[file extension $file] eq ".sv" && [dict get $what file_type] ne "SystemVerilog"} { model::fail "IP_Flow 19-5" "$file is not SystemVerilog" }
  }
  if {$path eq ""} { model::fail "IP_Flow 19-259" "the top module $top is in no file" }
  set in [open $path]; set text [read $in]; close $in
  set interfaces [dict create]
  foreach {- way high port} [regexp -all -inline -line {^ +(input|output) +wire +(?:\[(\d+):0\])? *(\w+),?$} $text] {
    if {[regexp {^(m_axi_\w+|s_axi_\w+)_WDATA$} $port -> bus]} {
      dict set interfaces $bus [list [expr {[string match m_axi_* $bus] ? "Master" : "Slave"}] [expr {$high + 1}]]
    }
    if {$port in {ap_clk ap_rst_n interrupt}} { dict set interfaces $port {signal 1} }
  }
  set model::core [dict create folder [dict get $given -root_dir] interfaces $interfaces associated {} \
    properties [dict create vendor [dict get $given -vendor] library [dict get $given -library]] registers [dict create] checked 0]
  model::add core core
}
proc ipx::current_core {} { model::require core core; return core }
proc ipx::get_bus_interfaces {name args} {
  model::options get_bus_interfaces $args {-of_objects} {}
  if {![dict exists $model::core interfaces $name]} { return {} }
  return [model::add bus bus:$name]
}
proc ipx::infer_bus_interface {port vlnv core} { model::fail "IP_Flow 19-733" "$port is inferred already" }
proc ipx::associate_bus_interfaces {args} {
  lassign [model::options associate_bus_interfaces $args {-busif -clock} {}] given rest
  if {![dict exists $model::core interfaces [dict get $given -clock]]} { model::fail "IP_Flow 19-570" "no clock [dict get $given -clock]" }
  dict lappend model::core associated [dict get $given -busif]
}
proc ipx::get_bus_parameters {args} {
  lassign [model::options get_bus_parameters $args {-of_objects} {}] given rest
  set name "[dict get $given -of_objects]:[lindex $rest 0]"
  return [expr {[dict exists $model::core parameters $name] ? [model::add bus_parameter $name] : ""}]
}
proc ipx::add_bus_parameter {name interface} {
  model::require bus $interface
  if {[dict exists $model::core parameters $interface:$name]} { model::fail "IP_Flow 19-531" "$name is there already" }
  dict set model::core parameters $interface:$name ""
  return [model::add bus_parameter $interface:$name]
}
proc ipx::get_memory_maps {args} { return [model::add memory_map s_axi_control] }
proc ipx::get_address_blocks {args} { return [model::add address_block Reg] }
proc ipx::add_register {name block} {
  model::require address_block $block
  dict set model::core registers $name 0
  return [model::add register register:$name]
}
proc ipx::create_xgui_files {core} {}
proc ipx::update_checksums {core} {}
proc ipx::check_integrity {core} {
  foreach {bus what} [dict get $model::core interfaces] {
    if {[lindex $what 0] ne "signal" && $bus ni [dict get $model::core associated]} { model::fail "IP_Flow 19-11770" "Bus Interface '$bus' is not associated with any clock interface" }
  }
  dict set model::core checked 1
}
proc ipx::save_core {core} {
  set properties [dict get $model::core properties]
  if {"[dict get $properties vendor]:[dict get $properties library]:[dict get $properties name]:[dict get $properties version]" ne "xilinx.com:hls:acs_engine:1.0"} {
    model::fail "IP_Flow 19-3" "the IP is not the driver's"
  }
  set folder [dict get $model::core folder]
  file mkdir $folder
  set text "<component>"
  dict for {bus what} [dict get $model::core interfaces] {
    if {[lindex $what 0] ne "signal"} { append text "<bus name=\"$bus\" mode=\"[lindex $what 0]\" width=\"[lindex $what 1]\"/>" }
  }
  write_file [file join $folder component.xml] "$text</component>"
}
proc set_package_property {object name value} {
  switch [model::kind $object] {
    core {
      if {$name ni {name version display_name description vendor_display_name supported_families core_revision}} { model::fail "Common 17-54" "ipx::component has no property '$name'" }
      dict set model::core properties $name $value
    }
    bus { if {$name ne "slave_memory_map_ref"} { model::fail "Common 17-54" "bus_interface has no property '$name'" } }
    bus_parameter { if {$name ne "value"} { model::fail "Common 17-54" "bus_parameter has no property '$name'" } }
    address_block { if {$name ni {range width usage}} { model::fail "Common 17-54" "address_block has no property '$name'" } }
    register {
      if {$name ni {address_offset size access description}} { model::fail "Common 17-54" "register has no property '$name'" }
      if {$name eq "address_offset"} { dict set model::core registers [string range $object 9 end] $value }
    }
  }
}
