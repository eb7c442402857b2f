# Vitis HLS's commands, for tclsh: what run_hls.tcl uses of them, and nothing else.  The ports of the IP
# come of the INTERFACE directives in the sources.
#
# FAKE_FAULT: csynth_fail, hls_license, no_ip, no_report.  FAKE_STYLE: project or component.

namespace eval hls { variable top ""; variable files {}; variable folder ""; variable part ""; variable period 0; variable synthesized 0
  variable fake [expr {[info exists ::env(FAKE_FAULT)] ? $::env(FAKE_FAULT) : ""}] }
proc open_project {args} { if {$args ne "-reset acs_project"} { error "open_project $args" }; set hls::folder acs_project }
proc open_solution {args} {
  if {$args ne "-reset solution -flow_target vivado"} { error "open_solution $args" }
  set hls::folder [file join $hls::folder solution]
}
if {[info exists ::env(FAKE_STYLE)] && $::env(FAKE_STYLE) eq "component"} {
  rename open_project {}
  rename open_solution {}
  proc open_component {args} {
    if {$args ne "-reset acs_component -flow_target vivado"} { error "open_component $args" }
    set hls::folder [file join acs_component hls]
  }
}
proc set_top {name} { set hls::top $name }
proc set_part {name} { set hls::part $name }
proc create_clock {args} {
  if {[lindex $args 0] ne "-period" || ![string is double -strict [lindex $args 1]]} { error "create_clock $args" }
  set hls::period [lindex $args 1]
}
proc add_files {args} {
  set file [lsearch -inline -not -glob [lrange $args [expr {[lindex $args 0] eq "-tb"}] end] -*]
  if {![file exists $file]} { error "ERROR: \[HLS 200-70\] Cannot find file '$file'" }
  if {[lindex $args 0] ne "-tb"} { lappend hls::files $file }
}
proc csynth_design {} {
  puts "INFO: \[HLS 200-10\] Analyzing design file 'acs_engine.cpp' ..."
  if {$hls::fake eq "hls_license"} { error "ERROR: \[HLS 200-1986\] Could not obtain a license for 'HLS'" }
  if {$hls::fake eq "csynth_fail"} { error "ERROR: \[HLS 214-135\] 'acs_lists.cpp' has errors" }
  if {$hls::fake eq "hang_hls"} { puts "INFO: \[HLS 200-42\] -- Implementing module 'run_array'"; flush stdout; after 600000 }
  set hls::synthesized 1
  set folder [file join $hls::folder syn report]
  file mkdir $folder
  if {$hls::fake ne "no_report"} {
    set text [string map [list @PART@ $hls::part @PERIOD@ [format %.2f $hls::period]] [read_all $::env(FAKE_CSYNTH)]]
    set out [open [file join $folder csynth.xml] w]; puts $out $text; close $out
  }
}
proc read_all {path} { set in [open $path]; set text [read $in]; close $in; return $text }
proc export_design {args} {
  if {$args ne "-format ip_catalog -ipname acs_engine -vendor xilinx.com -library hls -version 1.0"} { error "export_design $args" }
  if {!$hls::synthesized} { error "ERROR: \[HLS 200-70\] nothing is synthesized" }
  if {$hls::fake eq "y2k22"} { error "ERROR: \[IMPL 213-28\] Failed to generate IP.\nbad lexical cast: source type value could not be interpreted as target" }
  set text "<component><bus name=\"s_axi_control\" mode=\"Slave\" width=\"32\"/>"
  set bundles {}
  foreach file $hls::files {
    foreach {- bundle} [regexp -all -inline {mode=m_axi port=\w+ bundle=(\w+)} [read_all $file]] { lappend bundles $bundle }
  }
  foreach bundle [lsort -unique $bundles] { append text "<bus name=\"m_axi_$bundle\" mode=\"Master\" width=\"64\"/>" }
  set folder [file join $hls::folder impl ip]
  file mkdir $folder
  if {$hls::fake ne "no_ip"} { set out [open [file join $folder component.xml] w]; puts $out "$text</component>"; close $out }
  puts "INFO: \[HLS 200-111\] Finished Command export_design"
}
