# SPDX-License-Identifier: GPL-2.0
# bash completion for sockloan(8)

_sockloan_pids()
{
	COMPREPLY=($(compgen -W "$(cd /proc && echo [0-9]*)" -- "$1"))
}

# sockets of process $1
_sockloan_fds()
{
	local link fds=

	for link in /proc/"$1"/fd/*; do
		[[ $(readlink "$link" 2>/dev/null) == socket:* ]] &&
			fds+=" ${link##*/}"
	done
	COMPREPLY=($(compgen -W "$fds" -- "$2"))
}

_sockloan_stat()
{
	local cur=$1 prev=$2 i

	case $prev in
	-p | --pid)
		_sockloan_pids "$cur"
		return
		;;
	-f | --file)
		compopt -o filenames
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	esac
	if [[ $cur != -* ]]; then
		for ((i = 2; i < COMP_CWORD - 1; i++)); do
			case ${COMP_WORDS[i]} in
			-p | --pid)
				_sockloan_fds "${COMP_WORDS[i + 1]}" "$cur"
				return
				;;
			esac
		done
	fi
	COMPREPLY=($(compgen -W "-w --watch -a --all -j --json -p --pid
		-f --file -h --help" -- "$cur"))
}

# pool, monitor: $1 cur, $2 prev, $3 options
_sockloan_options()
{
	case $2 in
	-p | --pid)
		_sockloan_pids "$1"
		;;
	-i | --interval | -n | --count)
		;;
	*)
		COMPREPLY=($(compgen -W "$3 -h --help" -- "$1"))
		;;
	esac
}

# $1 cur, $2 prev
_sockloan_gadget()
{
	local gadgets=/sys/kernel/config/usb_gadget

	if ((COMP_CWORD == 2)); then
		COMPREPLY=($(compgen -W "up down status -h --help" -- "$1"))
		return
	fi
	case ${COMP_WORDS[2]}:$2 in
	up:-u | up:--udc)
		COMPREPLY=($(compgen -W "$(ls /sys/class/udc 2>/dev/null)" -- "$1"))
		;;
	up:-f | up:--function)
		COMPREPLY=($(compgen -W "rndis_loan rndis" -- "$1"))
		;;
	up:-N | up:--netns)
		COMPREPLY=($(compgen -W "$(ls /var/run/netns 2>/dev/null)" -- "$1"))
		;;
	down:-n | down:--name)
		COMPREPLY=($(compgen -W "$(ls $gadgets 2>/dev/null)" -- "$1"))
		;;
	up:-n | up:--name | up:-a | up:--address | up:-m | up:--mtu | \
		up:-d | up:--dev-addr | up:-H | up:--host-addr)
		;;
	up:*)
		COMPREPLY=($(compgen -W "-u --udc -f --function -n --name
			-a --address -N --netns -m --mtu -d --dev-addr
			-H --host-addr -h --help" -- "$1"))
		;;
	down:*)
		COMPREPLY=($(compgen -W "-n --name -h --help" -- "$1"))
		;;
	status:*)
		COMPREPLY=($(compgen -W "-h --help" -- "$1"))
		;;
	esac
}

_sockloan()
{
	local cur=${COMP_WORDS[COMP_CWORD]}
	local commands="run attach detach stat pool monitor status gadget help"

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		COMPREPLY=($(compgen -W "$commands --version --help" -- "$cur"))
		return
	fi
	case ${COMP_WORDS[1]} in
	run)
		if declare -F _command_offset >/dev/null; then
			local offset=2
			[[ ${COMP_WORDS[2]} == -- ]] && offset=3
			_command_offset "$offset"
		elif ((COMP_CWORD == 2)); then
			COMPREPLY=($(compgen -c -- "$cur"))
		fi
		;;
	attach | detach)
		if ((COMP_CWORD == 2)); then
			_sockloan_pids "$cur"
		else
			_sockloan_fds "${COMP_WORDS[2]}" "$cur"
		fi
		;;
	stat)
		_sockloan_stat "$cur" "${COMP_WORDS[COMP_CWORD - 1]}"
		;;
	pool)
		_sockloan_options "$cur" "${COMP_WORDS[COMP_CWORD - 1]}" \
			"-w --watch -j --json -p --pid"
		;;
	monitor)
		_sockloan_options "$cur" "${COMP_WORDS[COMP_CWORD - 1]}" \
			"-i --interval -n --count -j --json -p --pid"
		;;
	status)
		COMPREPLY=($(compgen -W "--help" -- "$cur"))
		;;
	gadget)
		_sockloan_gadget "$cur" "${COMP_WORDS[COMP_CWORD - 1]}"
		;;
	help)
		((COMP_CWORD == 2)) &&
			COMPREPLY=($(compgen -W "$commands" -- "$cur"))
		;;
	esac
} && complete -F _sockloan sockloan
