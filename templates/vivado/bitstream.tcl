# From the engine's IP to a bitstream: project, block design, synthesis, placement, routing, checks.
#
#   vivado -mode batch -source bitstream.tcl        (make does it, after it has made the IP)
#
# By the environment:
#   ACS_ENGINE      hls or rtl: the engine whose IP is taken       (default: the first of the build)
#   ACS_CLOCK_MHZ   another clock than the board's
#   ACS_JOBS        processes that run at once                     (default 2)
#
# Results go to results-ENGINE/ beside this file: design.bit, design.hwh, and reports.  The folder is
# there only if everything went well.  Vivado's project is in project-ENGINE/.
#
# Not run where acsgen is developed, since there is no Vivado there: the tests run this file under tclsh,
# with a model of Vivado's commands, cells, pins and properties.

set here [file dirname [file normalize [info script]]]
source [file join $here settings.tcl]

proc acs::setting {name default} {
  if {[info exists ::env($name)] && $::env($name) ne ""} { return $::env($name) }
  return $default
}
set engine [acs::setting ACS_ENGINE [lindex $engines 0]]
if {[lsearch -exact $engines $engine] < 0} {
  acs::stop "this build has no engine '$engine'; it has [join $engines { and }]"
}
set jobs    [acs::setting ACS_JOBS 2]
set project [file join $here project-$engine]
set results [file join $here results-$engine]

# ---- The engine's IP
proc acs::find_ip {engine here} {
  set build [file dirname $here]
  if {$engine eq "rtl"} {
    set places [list [file join $build rtl ip]]
  } else {
    # Of a project with solutions, of a component, and of v++.
    set places [glob -nocomplain -directory [file join $build hls] \
                  acs_project/*/impl/ip acs_component/*/impl/ip acs_component/impl/ip]
  }
  set found {}
  foreach place $places {
    if {[file exists [file join $place component.xml]]} { lappend found $place }
  }
  if {[llength $found] != 1} {
    acs::stop "[llength $found] folders with the engine's IP, not one, in [file join $build $engine]:\
           make it first (make -C vivado ENGINE=$engine does all of it)"
  }
  return [lindex $found 0]
}
set ip [acs::find_ip $engine $here]

# ---- Project and block design
file delete -force $project
create_project $design $project -part $part
set_property ip_repo_paths [list $ip] [current_project]
update_ip_catalog
if {[llength [get_ipdefs -all $engine_ip]] != 1} {
  acs::stop "Vivado finds no IP $engine_ip in $ip"
}
puts "acsgen: block design"
source [file join $here block_design.tcl]

set wrapper [make_wrapper -files [get_files $design.bd] -top]
add_files -norecurse [list $wrapper]
set_property top ${design}_wrapper [current_fileset]
update_compile_order -fileset sources_1

# ---- Synthesis, placement, routing
proc acs::finish {run} {
  wait_on_run $run
  if {[get_property PROGRESS [get_runs $run]] ne "100%"} {
    acs::stop "$run ended with '[get_property STATUS [get_runs $run]]':\
           see runme.log in [get_property DIRECTORY [get_runs $run]]"
  }
}
puts "acsgen: synthesis"
launch_runs synth_1 -jobs $jobs
acs::finish synth_1
puts "acsgen: placement and routing"
launch_runs impl_1 -to_step write_bitstream -jobs $jobs
acs::finish impl_1

# ---- Reports, and whether the clock is met
open_run impl_1
set unfinished $results.unfinished
file delete -force $unfinished
file mkdir $unfinished
report_utilization -file [file join $unfinished utilization.rpt]
report_utilization -hierarchical -file [file join $unfinished utilization_hierarchical.rpt]
report_timing_summary -max_paths 10 -file [file join $unfinished timing_summary.rpt]

# The constraint comes with the IP of the processing system, from the frequency that it was given.
set constrained 0
foreach clock [get_clocks] {
  if {abs([get_property PERIOD $clock] * $ps_mhz - 1000) < 10} { set constrained 1 }
}
if {!$constrained} { acs::stop "no clock of the design is constrained to $ps_mhz MHz" }

set wns [get_property STATS.WNS [get_runs impl_1]]
set whs [get_property STATS.WHS [get_runs impl_1]]
set tpws [get_property STATS.TPWS [get_runs impl_1]]
puts "acsgen: worst negative slack $wns ns, worst hold slack $whs ns"
foreach {what slack} [list setup $wns hold $whs {pulse widths} $tpws] {
  # Without a constraint of the clock, Vivado has no slack to tell.
  if {![string is double -strict $slack]} { acs::stop "no slack of $what: the design has no clock constraint" }
}
if {$wns < 0} {
  acs::stop "timing is not met at $ps_mhz MHz: the worst path is [expr {-$wns}] ns too long;\
         see timing_summary.rpt in $unfinished, or ask for a slower clock (ACS_CLOCK_MHZ)"
}
if {$whs < 0 || $tpws < 0} {
  acs::stop "timing is not met: hold slack $whs ns, total pulse width slack $tpws ns;\
         see timing_summary.rpt in $unfinished"
}

# ---- The two files that a board needs, of one run, under one stem
set bit [file join [get_property DIRECTORY [get_runs impl_1]] ${design}_wrapper.bit]
# Versions before 2020.2 keep the handoff among the sources, later ones among what is generated.
set handoffs {}
foreach side {gen srcs} {
  set path [file join $project $design.$side sources_1 bd $design hw_handoff $design.hwh]
  if {[file exists $path]} { lappend handoffs $path }
}
if {![file exists $bit]} { acs::stop "Vivado wrote no bitstream: $bit is not there" }
if {[llength $handoffs] == 0} { acs::stop "Vivado wrote no hardware handoff ($design.hwh) in $project" }
file copy -force $bit [file join $unfinished design.bit]
file copy -force [lindex $handoffs 0] [file join $unfinished design.hwh]

set out [open [file join $unfinished summary.txt] w]
foreach {key value} [list vivado [version -short] part $part engine $engine \
                       clock_mhz_asked $clock_mhz clock_mhz $ps_mhz clock_mhz_board $board_mhz \
                       wns_ns $wns whs_ns $whs] {
  puts $out "$key $value"
}
close $out
file delete -force $results
file rename $unfinished $results
puts "acsgen: bitstream in $results"
