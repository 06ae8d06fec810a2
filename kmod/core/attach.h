/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files that know how a socket goes: attach.c and ulp.c. */
#ifndef _SL_ATTACH_H
#define _SL_ATTACH_H

struct sl_sock;

void sl_sock_remove(struct sl_sock *ss);
void sl_sock_free(struct sl_sock *ss);

#endif /* _SL_ATTACH_H */
