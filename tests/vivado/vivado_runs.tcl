# Commands of projects, runs, reports and properties; see vivado.tcl.

# Parts whose device files are installed, with their families.
set ::installed {xc7z020clg484-1 zynq xc7z020clg400-1 zynq
                 xczu3eg-sbva484-1-i zynquplus xczu7ev-ffvc1156-2-e zynquplus xck26-sfvc784-2LV-c zynquplus}

proc create_project {args} {
  lassign [model::options create_project $args {-part} {-force -in_memory}] given rest
  lassign $rest name folder
  set part [dict get $given -part]
  if {![dict exists $::installed $part] || [dict get $model::state fake] eq "no_device"} {
    model::fail "Coretcl 2-106" "Specified part could not be found."
  }
  if {[file exists $folder] && ![dict exists $given -force]} { model::fail "Coretcl 2-104" "Project '$name' already exists" }
  file mkdir $folder
  dict set model::props project [dict create part $part name $name directory [file normalize $folder] ip_repo_paths {}]
  dict set model::props sources_1 [dict create top ""]
  dict set model::props files [dict create]
  foreach {run} {synth_1 impl_1} {
    dict set model::props $run [dict create PROGRESS "0%" STATUS "Not started" \
      DIRECTORY [file join [file normalize $folder] $name.runs $run] launched 0]
    model::add run $run
  }
  model::add project project
  model::add fileset sources_1
  puts "INFO: \[IP_Flow 19-234\] Refreshing IP repositories"
  return project
}
proc close_project {args} {
  lassign [model::options close_project $args {} {-delete}] given rest
  if {[dict exists $given -delete]} { file delete -force [dict get $model::props project directory] }
  dict unset model::kinds project
}
proc current_project {} { model::require project project; return project }
proc current_fileset {} { return sources_1 }
proc update_ip_catalog {} {
  foreach repository [dict get $model::props project ip_repo_paths] {
    set file [file join $repository component.xml]
    if {![file exists $file]} { puts "WARNING: \[IP_Flow 19-3656\] no IP in $repository"; continue }
    set in [open $file]; set text [read $in]; close $in
    set found [dict create]
    foreach {- name mode width} [regexp -all -inline {<bus name="(\w+)" mode="(\w+)" width="(\d+)"/>} $text] {
      dict set found $name [list $mode aximm $width ap_clk [expr {$mode eq "Slave" ? "AXI4LITE" : "AXI4"}]]
    }
    set model::engine $found
  }
}
proc get_ipdefs {args} {
  lassign [model::options get_ipdefs $args {-filter} {-all}] given rest
  return [expr {[lindex $rest 0] eq "xilinx.com:hls:acs_engine:1.0" && [dict size $model::engine] ? [lindex $rest 0] : ""}]
}
proc get_parts {name} {
  if {![dict exists $::installed $name]} { model::fail "Coretcl 2-106" "Specified part could not be found." }
  return [model::add part $name]
}
proc add_files {args} {
  lassign [model::options add_files $args {-fileset} {-norecurse}] given rest
  foreach file [lindex $rest 0] {
    if {![file exists $file]} { model::fail "Vivado 12-172" "File or Directory '$file' does not exist" }
    dict set model::props files $file [dict create file_type Verilog]
    model::add file $file
  }
  # A file is an object; a list of one with spaces in its name stays a list.
  return [lindex $rest 0]
}
proc get_files {pattern} {
  if {[dict exists $model::kinds [file rootname $pattern]] && [file extension $pattern] eq ".bd"} { return [model::add file $pattern] }
  model::fail "Vivado 12-818" "No files matched '$pattern'"
}
proc update_compile_order {args} { model::options update_compile_order $args {-fileset} {} }
proc make_wrapper {args} {
  lassign [model::options make_wrapper $args {-files} {-top -import}] given rest
  if {![dict get $model::state validated]} { model::fail "BD 41-1031" "the block design is not validated" }
  set design [file rootname [dict get $given -files]]
  set folder [file join [dict get $model::props project directory] $design.gen sources_1 bd $design hdl]
  file mkdir $folder
  set path [file join $folder ${design}_wrapper.v]
  close [open $path w]
  return $path
}

# ---- Properties
proc set_property {args} {
  lassign [model::options set_property $args {-dict} {}] given rest
  if {[dict exists $given -dict]} { set pairs [dict get $given -dict] } else { set pairs [lrange $rest 0 1]; set rest [lrange $rest 2 end] }
  if {[llength $pairs] % 2 || [llength $rest] != 1} { model::fail "Common 17-165" "set_property $args" }
  foreach object [lindex $rest 0] { foreach {name value} $pairs { set_one_property $object $name $value } }
}
proc set_one_property {object name value} {
  switch [model::kind $object] {
    cell    { set_cell_property $object $name $value }
    project {
      if {$name ne "ip_repo_paths"} { model::fail "Common 17-54" "project has no property '$name'" }
      dict set model::props project ip_repo_paths $value
    }
    fileset {
      if {$name ne "top"} { model::fail "Common 17-54" "fileset has no property '$name'" }
      dict set model::props sources_1 top $value
    }
    file {
      if {$name ne "file_type" || $value ni {Verilog SystemVerilog}} { model::fail "Common 17-54" "file: $name $value" }
      dict set model::props files $object file_type $value
    }
    core - bus - bus_parameter - address_block - register { set_package_property $object $name $value }
    default { model::fail "Common 17-54" "[model::kind $object] has no property '$name' to set" }
  }
}
proc set_cell_property {cell name value} {
  set ip [dict get $model::cells $cell ip]
  if {[string range $name 0 6] ne "CONFIG."} { model::fail "Common 17-54" "cells have no property '$name'" }
  set name [string range $name 7 end]
  set known [catalog::properties $ip]
  if {![dict exists $known $name]} { model::fail "BD 41-1276" "Cannot set the parameter $name on /$cell: $ip has none" }
  if {![regexp [dict get $known $name] $value]} { model::fail "IP_Flow 19-3461" "Value '$value' is out of the range for parameter '$name'" }
  dict set model::cells $cell config $name $value
}
proc get_property {name object} {
  switch [model::kind $object] {
    cell {
      set ip [dict get $model::cells $object ip]
      set config [dict get $model::cells $object config]
      set clocks [dict create \
        CONFIG.PCW_ACT_FPGA0_PERIPHERAL_FREQMHZ {processing_system7 3} \
        CONFIG.PCW_FCLK0_PERIPHERAL_DIVISOR0 {processing_system7 1} CONFIG.PCW_FCLK0_PERIPHERAL_DIVISOR1 {processing_system7 2} \
        CONFIG.PSU__CRL_APB__PL0_REF_CTRL__ACT_FREQMHZ {zynq_ultra_ps_e 3} \
        CONFIG.PSU__CRL_APB__PL0_REF_CTRL__DIVISOR0 {zynq_ultra_ps_e 1} CONFIG.PSU__CRL_APB__PL0_REF_CTRL__DIVISOR1 {zynq_ultra_ps_e 2}]
      if {[dict exists $clocks $name] && [lindex [dict get $clocks $name] 0] eq $ip} {
        set found [lindex [catalog::clock $ip $config] [lindex [dict get $clocks $name] 1]]
        return [expr {[string is integer -strict $found] ? $found : [format %.6f $found]}]
      }
      set short [string range $name 7 end]
      if {![dict exists [catalog::properties $ip] $short]} { model::fail "Common 17-54" "$object has no property '$name'" }
      return [catalog::value $config $short {}]
    }
    run {
      if {[string match STATS.* $name]} { return [stats $object $name] }
      if {$name ni {PROGRESS STATUS DIRECTORY}} { model::fail "Common 17-54" "run has no property '$name'" }
      return [dict get $model::props $object $name]
    }
    segment {
      set known {OFFSET offset RANGE range NAME name}
      if {![dict exists $known $name]} { model::fail "Common 17-54" "bd_addr_seg has no property '$name'" }
      return [dict get $model::segments $object [dict get $known $name]]
    }
    clock {
      if {$name ne "PERIOD"} { model::fail "Common 17-54" "clock has no property '$name'" }
      return [clock_period]
    }
    part {
      if {$name ne "FAMILY"} { model::fail "Common 17-54" "part has no property '$name'" }
      return [dict get $::installed $object]
    }
    default { model::fail "Common 17-54" "[model::kind $object] has no property '$name'" }
  }
}
rename model::kind model::kind_of_object
proc model::kind {object} {
  variable segments
  if {[dict exists $segments $object]} { return segment }
  return [kind_of_object $object]
}

# ---- Runs
proc get_runs {name} { model::require run $name; return $name }
proc launch_runs {args} {
  lassign [model::options launch_runs $args {-jobs -to_step} {}] given rest
  set run [lindex $rest 0]
  model::require run $run
  if {[dict get $model::props sources_1 top] eq ""} { model::fail "Common 17-70" "no top module" }
  if {$run eq "impl_1" && ![dict get $model::state synthesized]} { model::fail "Common 17-70" "Failed to launch run 'impl_1': synth_1 is not complete" }
  dict set model::props $run launched 1
  puts "\[Thu Nov 26 10:00:00 2026\] Launched $run..."
  puts "Run output will be captured here: [dict get $model::props $run DIRECTORY]/runme.log"
}
proc wait_on_run {run} {
  model::require run $run
  if {![dict get $model::props $run launched]} { model::fail "Common 17-70" "$run is not launched" }
  set fake [dict get $model::state fake]
  set folder [dict get $model::props $run DIRECTORY]
  file mkdir $folder
  puts "Attempting to get a license for feature '[expr {$run eq "synth_1" ? "Synthesis" : "Implementation"}]' and/or device"
  if {$fake eq "license"} {
    puts "ERROR: \[Common 17-345\] A valid license was not found for feature 'Synthesis' and/or device 'xc7z020'. Please run the Vivado License Manager for assistance in determining which features and devices are licensed for your system."
  }
  if {$fake eq "hang"} { puts "Phase 1 RT Design Preparation"; flush stdout; after 600000 }
  if {$fake eq "memory"} { puts "ERROR: \[Common 17-179\] Fork failed: Cannot allocate memory" }
  set failed [expr {($run eq "synth_1" && $fake in {synth_fail license memory}) || ($run eq "impl_1" && $fake eq "impl_fail")}]
  set step [expr {$run eq "synth_1" ? "synth_design" : "write_bitstream"}]
  if {$failed} {
    if {$fake eq "impl_fail"} {
      puts "ERROR: \[Place 30-640\] Place Check : This design requires more Slice LUTs cells than are available in the target device. This design requires 60123 of such cell types but only 53200 compatible sites are available in the target device."
    }
    dict set model::props $run STATUS "$step ERROR"
    puts "ERROR: \[Common 17-69\] Command failed"
    return
  }
  puts "Starting [expr {$run eq "synth_1" ? "Synthesis" : "Placer"}] Task"
  if {$run eq "impl_1"} {
    puts "CRITICAL WARNING: \[PSU-1\]  Parameter : PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_2 has negative value. PS DDR interfaces might fail when entering negative DQS skew values."
    if {$fake eq "timing"} { puts "CRITICAL WARNING: \[Route 35-39\] The design did not meet timing requirements. Please run report_timing_summary for detailed reports." }
    puts "Phase 2 Global Placement"
    puts "Starting Routing Task"
    if {$fake ne "no_bit"} { write_file [file join $folder acs_wrapper.bit] "bitstream of [dict get $model::props project part] [dict get $model::cells acs_engine_0 ip] [dict get $model::props project directory]" }
    if {$fake ne "no_hwh"} { write_handoff }
  } else {
    dict set model::state synthesized 1
  }
  dict set model::props $run PROGRESS "100%"
  dict set model::props $run STATUS "$step Complete!"
}
proc write_file {path text} { set out [open $path w]; puts -nonewline $out $text; close $out }

# The handoff, as far as the driver reads it.
proc write_handoff {} {
  set registers ""
  if {[dict exists $model::state registers]} {
    dict for {name offset} [dict get $model::state registers] {
      append registers "<REGISTER NAME=\"$name\"><PROPERTY NAME=\"ADDRESS_OFFSET\" VALUE=\"$offset\"/></REGISTER>"
    }
  }
  set ranges ""
  dict for {name segment} $model::segments {
    if {![string match */Data $name] && [string match */Data [dict get $segment space]]} {
      set cell [lindex [split [dict get $segment target] /] 0]
      set base [dict get $segment offset]
      append ranges "<MEMRANGE INSTANCE=\"$cell\" BASEVALUE=\"$base\" HIGHVALUE=\"[format 0x%08X [expr {$base + 0xFFFF}]]\"/>"
    }
  }
  set folder [file join [dict get $model::props project directory] acs.gen sources_1 bd acs hw_handoff]
  file mkdir $folder
  write_file [file join $folder acs.hwh] "<?xml version=\"1.0\"?><EDKSYSTEM><MODULES><MODULE FULLNAME=\"/acs_engine_0\" INSTANCE=\"acs_engine_0\" VLNV=\"xilinx.com:hls:acs_engine:1.0\">$registers</MODULE>$ranges</MODULES></EDKSYSTEM>"
}

proc open_run {run} {
  if {[dict get $model::props $run PROGRESS] ne "100%"} { model::fail "Common 17-70" "$run is not complete" }
  dict set model::state opened 1
}
proc need_open {command} { if {![dict get $model::state opened]} { model::fail "Common 17-53" "$command: no open design" } }
proc get_clocks {} {
  need_open get_clocks
  return [expr {[dict get $model::state fake] eq "unconstrained" ? {} : [model::add clock clk_0]}]
}
# Three decimals, as the IP's constraint has them.
proc clock_period {} {
  set ps [dict get $model::cells ps]
  return [format %.3f [expr {1000.0 / [lindex [catalog::clock [dict get $ps ip] [dict get $ps config]] 3]}]]
}
proc stats {run name} {
  set fake [dict get $model::state fake]
  switch $name {
    STATS.WNS  { return [expr {$fake eq "timing" ? -0.321 : 0.412}] }
    STATS.WHS  { return [expr {$fake eq "hold" ? -0.051 : 0.021}] }
    STATS.TPWS { return 0.000 }
    default    { model::fail "Common 17-54" "run has no property '$name'" }
  }
}
proc version {option} { if {$option ne "-short"} { model::fail "Common 17-170" "version $option" }; return $::vivado_version }
set ::vivado_version [expr {[info exists ::env(FAKE_VERSION)] ? $::env(FAKE_VERSION) : "2022.2"}]

proc report_utilization {args} {
  need_open report_utilization
  lassign [model::options report_utilization $args {-file} {-hierarchical}] given rest
  set part [dict get $model::props project part]
  set lut [expr {[string match xc7z* $part] ? "Slice LUTs" : "CLB LUTs"}]
  set ff [expr {[string match xc7z* $part] ? "Slice Registers" : "CLB Registers"}]
  # Vivado 2021.1 has one column more.
  set more [expr {$::vivado_version >= 2021 ? "       0 |            " : ""}]
  set text "| Tool Version : Vivado v.$::vivado_version (lin64) Build 3671981\n| Design       : acs_wrapper\n\n1. Slice Logic\n--------------\n\n"
  append text "+----------------------------+-------+-------+------------+-----------+-------+\n"
  append text "|          Site Type         |  Used | Fixed | [expr {$more ne "" ? "Prohibited | " : ""}]Available | Util% |\n"
  append text "+----------------------------+-------+-------+------------+-----------+-------+\n"
  foreach {name used available} [list $lut 41234 53200 "  LUT as Logic" 40000 53200 $ff 33123 106400] {
    append text "| $name | $used | 0 | [expr {$more ne "" ? "0 | " : ""}]$available | 77.51 |\n"
  }
  append text "\n3. Memory\n---------\n\n|     Site Type     | Used | Fixed | [expr {$more ne "" ? "Prohibited | " : ""}]Available | Util% |\n"
  foreach {name used available} [list "Block RAM Tile" 104.5 140 "  RAMB36/FIFO*" 100 140 URAM 0 0] {
    append text "| $name | $used | 0 | [expr {$more ne "" ? "0 | " : ""}]$available | 74.64 |\n"
  }
  append text "\n4. DSP\n------\n\n|    Site Type   | Used | Fixed | [expr {$more ne "" ? "Prohibited | " : ""}]Available | Util% |\n"
  foreach {name used available} [list DSPs 176 220 "  DSP48E1 only" 176 {}] {
    append text "| $name | $used | 0 | [expr {$more ne "" ? "0 | " : ""}]$available | 80.00 |\n"
  }
  if {[dict exists $given -file]} { write_file [dict get $given -file] $text }
}
proc report_timing_summary {args} {
  need_open report_timing_summary
  lassign [model::options report_timing_summary $args {-file -max_paths} {}] given rest
  set wns [stats impl_1 STATS.WNS]
  set whs [stats impl_1 STATS.WHS]
  set period [clock_period]
  set text "Timing Summary Report\n\n| Tool Version      : Vivado v.$::vivado_version (lin64) Build 3671981\n\n"
  append text "------------------------------------------------------------------------------------------------\n| Design Timing Summary\n| ---------------------\n------------------------------------------------------------------------------------------------\n\n"
  append text "    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)  THS Failing Endpoints  THS Total Endpoints     WPWS(ns)     TPWS(ns)  TPWS Failing Endpoints  TPWS Total Endpoints  \n"
  append text "    -------      -------  ---------------------  -------------------      -------      -------  ---------------------  -------------------     --------     --------  ----------------------  --------------------  \n"
  append text "      $wns        0.000                      0               104512        $whs        0.000                      0               104512        3.750        0.000                       0                 41020  \n\n\n"
  append text "All user specified timing constraints are met.\n\n\n| Clock Summary\n| -------------\n\nClock       Waveform(ns)         Period(ns)      Frequency(MHz)\n-----       ------------         ----------      --------------\nclk_fpga_0  {0.000 [expr {$period / 2}]}        $period          [format %.3f [expr {1000.0 / $period}]]         \n"
  if {[dict exists $given -file]} { write_file [dict get $given -file] $text }
}
