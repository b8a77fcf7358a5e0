#!/bin/sh
# Prints the events of one incident, oldest first.
set -eu
incident="${1:?usage: timeline.sh INCIDENT}"
sort -k1,1 "/var/incidents/${incident}/events.log"
