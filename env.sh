# Source this file, in bash or zsh, to enter the workspace: `. env.sh`. Sourcing it again is harmless.
# With a ROS 2 Jazzy distro sourced before, that is used; else the one that `make setup` put into .venv.

if [ -n "${ZSH_VERSION-}" ]; then
  lockstep_shell=zsh
  eval 'lockstep_root=${${(%):-%x}:A:h}'
else
  lockstep_shell=bash
  lockstep_root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fi

# lockstep_list NAME [FOLDER...]: put folders first in a list like PATH, and drop this tree's older entries.
lockstep_list() {
  local name=$1 list entry rest
  shift
  eval "rest=\${$name-}:"
  while [ -n "$rest" ]; do
    entry=${rest%%:*}
    rest=${rest#*:}
    case $entry in
      "" | "$lockstep_root"/*) ;;
      *) set -- "$@" "$entry" ;;
    esac
  done
  list=$(IFS=: && echo "$*")
  # An empty list would mean the current folder.
  if [ -n "$list" ]; then eval "export $name=\$list"; else unset "$name"; fi
}

lockstep_use_distro() {
  local venv=$lockstep_root/.venv-distro
  [ -e "$venv/lockstep-setup" ] || return 0
  # By PYTHONPATH and with its tools last in PATH, because the distro's own Python starts the nodes.
  lockstep_list PYTHONPATH "$venv"/lib/python3*/site-packages
  lockstep_list PATH
  export PATH="$PATH:$venv/bin"
}

lockstep_use_wheels() {
  local venv=$lockstep_root/.venv
  if [ ! -e "$venv/lockstep-setup" ]; then
    echo "env.sh: nothing is set up yet, run: make -C $lockstep_root build" >&2
    return 1
  fi
  export VIRTUAL_ENV=$venv ROS_DISTRO=jazzy ROS_VERSION=2 ROS_PYTHON_VERSION=3
  export RMW_IMPLEMENTATION=rmw_fastrtps_cpp # the wheels have no other
  export AMENT_PREFIX_PATH=$venv CMAKE_PREFIX_PATH=$venv
  unset COLCON_PREFIX_PATH PYTHONHOME
  lockstep_list PATH "$venv/bin"
  lockstep_list PYTHONPATH
  lockstep_list LD_LIBRARY_PATH "$venv/lib" "$venv"/lib/python3*/site-packages/ros_*.libs
  export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1 # the path is set: Python need not start anew to set it
}

. "$lockstep_root/tools/world.sh"
lockstep_status=0
if ! lockstep_use_$lockstep_world; then
  lockstep_status=1
elif [ -n "${LOCKSTEP_WITHOUT_WORKSPACE-}" ]; then
  : # to build it
elif [ -e "$lockstep_root/install/setup.$lockstep_shell" ]; then
  . "$lockstep_root/install/setup.$lockstep_shell"
else
  echo "env.sh: nothing is built yet, run: make -C $lockstep_root build" >&2
  lockstep_status=1
fi

unset -f lockstep_list lockstep_use_distro lockstep_use_wheels
unset lockstep_root lockstep_shell lockstep_world
return $lockstep_status
