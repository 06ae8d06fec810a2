// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel TLS, before it meets a socket of ours.
 *
 * TLS copies the contents of sock->ops of the first socket of each family that
 * switches to it, and uses the copy for all later ones: with our functions in
 * it, and without a reference on us.  sl_setsockopt() keeps our ops out of its
 * sight.  But a setsockopt that loaded the plain ops just before a socket was
 * attached comes by without us, and may sleep on its argument as long as it
 * likes before TLS looks at the socket.  So a plain socket goes first: TLS makes
 * its copies before it refuses a socket that is not connected.
 */
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/net.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "sockloan.h"

static void sl_tls_meet(int family)
{
	static const char name[] = "tls";
	struct socket *sock;

	if (sock_create_kern(&init_net, family, SOCK_STREAM, IPPROTO_TCP,
			     &sock))
		return;
	sock->ops->setsockopt(sock, SOL_TCP, TCP_ULP, KERNEL_SOCKPTR((void *)name),
			      strlen(name));
	sock_release(sock);
}

/* Without CAP_NET_ADMIN, so that the call does not load the tls module. */
static int sl_tls_meet_all(void)
{
	const struct cred *old;
	struct cred *cred;

	cred = prepare_creds();
	if (!cred)
		return -ENOMEM;
	cap_clear(cred->cap_effective);
	old = override_creds(cred);
	sl_tls_meet(AF_INET);
	sl_tls_meet(AF_INET6);
	revert_creds(old);
	put_cred(cred);
	return 0;
}

static int sl_tls_event(struct notifier_block *nb, unsigned long action,
			void *data)
{
	const struct module *mod = data;

	if (action == MODULE_STATE_LIVE && !strcmp(mod->name, "tls"))
		sl_tls_meet_all();
	return NOTIFY_DONE;
}

static struct notifier_block sl_tls_notifier = {
	.notifier_call = sl_tls_event,
};

int __init sl_tls_init(void)
{
	int err;

	err = register_module_notifier(&sl_tls_notifier);
	if (err)
		return err;
	err = sl_tls_meet_all();
	if (err)
		unregister_module_notifier(&sl_tls_notifier);
	return err;
}

void sl_tls_exit(void)
{
	unregister_module_notifier(&sl_tls_notifier);
}
