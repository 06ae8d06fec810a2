// SPDX-License-Identifier: GPL-2.0
/*
 * Attach sockets as they are created: return probes on the create functions of
 * IPv4 and IPv6.  They are armed by the first namespace or process that asks.
 */
#include <linux/kprobes.h>
#include <linux/mutex.h>

#include "ops.h"
#include "sockloan.h"

/* From the entry of a create function to its return */
struct sl_create_call {
	struct socket *sock;
};

/* inet_create(net, sock, protocol, kern): only sockets of programs */
static int sl_create_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct sl_create_call *call = (struct sl_create_call *)ri->data;
	struct net *net = (struct net *)regs_get_kernel_argument(regs, 0);
	bool kern = (int)regs_get_kernel_argument(regs, 3);

	call->sock = (struct socket *)regs_get_kernel_argument(regs, 1);
	if (kern || (call->sock->type != SOCK_STREAM &&
		     call->sock->type != SOCK_DGRAM))
		return 1;
	return !READ_ONCE(sl_net(net)->auto_attach) && !sl_run_marked();
}
NOKPROBE_SYMBOL(sl_create_entry);

static int sl_create_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct sl_create_call *call = (struct sl_create_call *)ri->data;

	if (!(int)regs_return_value(regs))
		sl_attach_new(call->sock);
	return 0;
}
NOKPROBE_SYMBOL(sl_create_return);

/*
 * maxactive: socket creation may sleep, so more than one a CPU can be under
 * way.  A call that finds no free instance makes a plain socket.
 */
#define SL_CREATE_PROBE(symbol)						\
	{								\
		.kp.symbol_name = symbol,				\
		.kp.flags = KPROBE_FLAG_DISABLED,			\
		.entry_handler = sl_create_entry,			\
		.handler = sl_create_return,				\
		.data_size = sizeof(struct sl_create_call),		\
		.maxactive = 256,					\
	}

static struct kretprobe sl_create_probes[] = {
	SL_CREATE_PROBE("inet_create"),
	SL_CREATE_PROBE("inet6_create"),
};

static bool sl_create_there[ARRAY_SIZE(sl_create_probes)];
static DEFINE_MUTEX(sl_create_mutex);
static bool sl_create_armed;
static bool sl_create_allowed;

/**
 * sl_create_enable - look at every socket that is created from now on
 *
 * Context: process, may sleep.  Stays in force until the module is unloaded.
 * Return: 0, -EOPNOTSUPP when this kernel has no return probes, -EAGAIN while
 * the module is being loaded.
 */
int sl_create_enable(void)
{
	int i, err = 0;

	/* The handlers allocate memory, which PREEMPT_RT cannot do there. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return -EOPNOTSUPP;

	mutex_lock(&sl_create_mutex);
	if (!sl_create_allowed) {
		err = -EAGAIN;
		goto out;
	}
	for (i = 0; !sl_create_armed && i < ARRAY_SIZE(sl_create_probes); i++) {
		if (sl_create_there[i])
			err = enable_kretprobe(&sl_create_probes[i]);
		else if (!i)
			err = -EOPNOTSUPP;
		if (err) {
			pr_warn_ratelimited("sockloan: no probe on %s (%d): attach sockets one by one instead\n",
					    sl_create_probes[i].kp.symbol_name,
					    err);
			err = -EOPNOTSUPP;
			goto out;
		}
	}
	sl_create_armed = true;
out:
	mutex_unlock(&sl_create_mutex);
	return err;
}

/* The module is up: it will not go while a socket is attached. */
void __init sl_create_allow(void)
{
	mutex_lock(&sl_create_mutex);
	sl_create_allowed = true;
	mutex_unlock(&sl_create_mutex);
}

void __init sl_create_init(void)
{
	int i;

	/* Without them (no kprobes, no IPv6) the rest of the module works. */
	for (i = 0; i < ARRAY_SIZE(sl_create_probes); i++)
		sl_create_there[i] = !register_kretprobe(&sl_create_probes[i]);
}

void sl_create_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sl_create_probes); i++)
		if (sl_create_there[i])
			unregister_kretprobe(&sl_create_probes[i]);
}
