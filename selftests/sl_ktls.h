/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel TLS on a connected pair: TLS 1.2, AES-GCM-128, keys of no secret. */
#ifndef SL_KTLS_H
#define SL_KTLS_H

#include <errno.h>
#include <linux/tls.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sl_test.h"

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

static inline int sl_ulp(int fd, const char *name)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_ULP, name, strlen(name));
}

static inline int sl_ktls_keys(int fd, int direction)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info.version = TLS_1_2_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
	};

	memset(info.key, 0x5a, sizeof(info.key));
	memset(info.salt, 0xa5, sizeof(info.salt));
	return setsockopt(fd, SOL_TLS, direction, &info, sizeof(info));
}

/* Switch both ends; 0, or -1 with errno. */
static inline int sl_ktls(const struct sl_pair *p)
{
	if (sl_ulp(p->tx, "tls") || sl_ulp(p->rx, "tls"))
		return -1;
	if (sl_ktls_keys(p->tx, TLS_TX) || sl_ktls_keys(p->rx, TLS_RX))
		return -1;
	return 0;
}

/* Is there kernel TLS on this machine? */
static inline bool sl_ktls_there(void)
{
	return !system("modprobe -q tls");
}

#endif /* SL_KTLS_H */
