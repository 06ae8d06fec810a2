// SPDX-License-Identifier: GPL-2.0
/*
 * Agreeing on checksums and large frames: the device says what it can do, the
 * host turns on what it wants.  Nothing is on before that.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "sl_rndis.h"

static const struct {
	u32 bit;
	u32 ip4;
	u32 ip6;
} sl_rndis_csums[] = {
	{ SL_RNDIS_CSUM_TCP4, NDIS_CSUM_TCP4 | NDIS_CSUM_TCP4_OPTIONS | NDIS_CSUM_IP4_OPTIONS, 0 },
	{ SL_RNDIS_CSUM_UDP4, NDIS_CSUM_UDP4 | NDIS_CSUM_IP4_OPTIONS, 0 },
	/* No IPv6 extension headers: see sl_rndis_ip6_plain(). */
	{ SL_RNDIS_CSUM_TCP6, 0, NDIS_CSUM_TCP6 | NDIS_CSUM_TCP6_OPTIONS },
	{ SL_RNDIS_CSUM_UDP6, 0, NDIS_CSUM_UDP6 },
};

static void csum_fill(u32 offload, __le32 *ip4, __le32 *ip6)
{
	u32 all4 = 0, all6 = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sl_rndis_csums); i++) {
		if (offload & sl_rndis_csums[i].bit) {
			all4 |= sl_rndis_csums[i].ip4;
			all6 |= sl_rndis_csums[i].ip6;
		}
	}
	*ip4 = cpu_to_le32(all4);
	*ip6 = cpu_to_le32(all6);
}

static u32 csum_parse(__le32 ip4, __le32 ip6)
{
	u32 all4 = le32_to_cpu(ip4), all6 = le32_to_cpu(ip6), offload = 0;
	unsigned int i;

	/* Only what is there with all options: frames are not looked at for them. */
	for (i = 0; i < ARRAY_SIZE(sl_rndis_csums); i++) {
		if ((all4 & sl_rndis_csums[i].ip4) == sl_rndis_csums[i].ip4 &&
		    (all6 & sl_rndis_csums[i].ip6) == sl_rndis_csums[i].ip6)
			offload |= sl_rndis_csums[i].bit;
	}
	return offload;
}

/* A large frame has its checksum left out: without the one there is not the other. */
static u32 consistent(u32 offload)
{
	if (!(offload & SL_RNDIS_CSUM_TCP4))
		offload &= ~SL_RNDIS_LSO4;
	if (!(offload & SL_RNDIS_CSUM_TCP6))
		offload &= ~SL_RNDIS_LSO6;
	return offload;
}

/* The host's form of checksum information has no "left out" for UDP. */
static u32 for_host(u32 offload)
{
	return consistent(offload & ~(SL_RNDIS_CSUM_UDP4 | SL_RNDIS_CSUM_UDP6));
}

/**
 * sl_rndis_offload_fill() - the device's answer about its capabilities
 * @offload: the answer
 * @to_device: SL_RNDIS_CSUM_* and SL_RNDIS_LSO*: what it takes from the host
 * @to_host: what it could send to the host
 */
void sl_rndis_offload_fill(struct ndis_offload *offload, u32 to_device, u32 to_host)
{
	memset(offload, 0, sizeof(*offload));
	offload->header.type = NDIS_TYPE_OFFLOAD;
	offload->header.revision = NDIS_OFFLOAD_REVISION;
	offload->header.size = cpu_to_le16(sizeof(*offload));
	offload->ip4_txenc = cpu_to_le32(NDIS_ENCAP_8023);
	offload->ip6_txenc = offload->ip4_txenc;
	offload->ip4_rxenc = offload->ip4_txenc;
	offload->ip6_rxenc = offload->ip4_txenc;
	csum_fill(to_device, &offload->ip4_txcsum, &offload->ip6_txcsum);
	csum_fill(to_host, &offload->ip4_rxcsum, &offload->ip6_rxcsum);
	if (to_device & SL_RNDIS_LSO4) {
		offload->lso_ip4_encap = cpu_to_le32(NDIS_ENCAP_8023);
		offload->lso_ip4_max = cpu_to_le32(SL_RNDIS_FRAME_LARGE);
		offload->lso_ip4_min = cpu_to_le32(2);
	}
	if (to_device & SL_RNDIS_LSO6) {
		offload->lso_ip6_encap = cpu_to_le32(NDIS_ENCAP_8023);
		offload->lso_ip6_max = cpu_to_le32(SL_RNDIS_FRAME_LARGE);
		offload->lso_ip6_min = cpu_to_le32(2);
		offload->lso_ip6_options = cpu_to_le32(NDIS_LSO_TCP6_OPTIONS);
	}
	offload->rsc_ip4 = !!(to_host & SL_RNDIS_LSO4);
	offload->rsc_ip6 = !!(to_host & SL_RNDIS_LSO6);
}
EXPORT_SYMBOL_GPL(sl_rndis_offload_fill);

static bool lso_usable(__le32 encap, __le32 max, __le32 min)
{
	return (le32_to_cpu(encap) & NDIS_ENCAP_8023) &&
	       le32_to_cpu(max) >= SL_RNDIS_FRAME_LARGE && le32_to_cpu(min) <= 2;
}

/**
 * sl_rndis_offload_parse() - the host's reading of that answer
 * @data: from the wire
 * @len: bytes of it; older devices' shorter answers are all right
 * @to_device: what the device takes
 * @to_host: what it could send
 *
 * Return: 0, or -EPROTO when this is no such answer.
 */
int sl_rndis_offload_parse(const void *data, u32 len, u32 *to_device, u32 *to_host)
{
	struct ndis_offload offload = { };
	u32 size;

	if (len < offsetof(struct ndis_offload, ipsec2))
		return -EPROTO;
	memcpy(&offload, data, min_t(u32, len, sizeof(offload)));
	size = le16_to_cpu(offload.header.size);
	if (offload.header.type != NDIS_TYPE_OFFLOAD ||
	    size < offsetof(struct ndis_offload, ipsec2) || size > len)
		return -EPROTO;
	/* What is behind the end that it states is not part of it. */
	if (size < sizeof(offload))
		memset((u8 *)&offload + size, 0, sizeof(offload) - size);

	*to_device = 0;
	*to_host = 0;
	if (le32_to_cpu(offload.ip4_txenc) & NDIS_ENCAP_8023)
		*to_device |= csum_parse(offload.ip4_txcsum, 0);
	if (le32_to_cpu(offload.ip6_txenc) & NDIS_ENCAP_8023)
		*to_device |= csum_parse(0, offload.ip6_txcsum);
	if (le32_to_cpu(offload.ip4_rxenc) & NDIS_ENCAP_8023)
		*to_host |= csum_parse(offload.ip4_rxcsum, 0);
	if (le32_to_cpu(offload.ip6_rxenc) & NDIS_ENCAP_8023)
		*to_host |= csum_parse(0, offload.ip6_rxcsum);
	if (lso_usable(offload.lso_ip4_encap, offload.lso_ip4_max, offload.lso_ip4_min))
		*to_device |= SL_RNDIS_LSO4;
	if (lso_usable(offload.lso_ip6_encap, offload.lso_ip6_max, offload.lso_ip6_min))
		*to_device |= SL_RNDIS_LSO6;
	if (offload.rsc_ip4)
		*to_host |= SL_RNDIS_LSO4;
	if (offload.rsc_ip6)
		*to_host |= SL_RNDIS_LSO6;
	*to_device = consistent(*to_device);
	*to_host = for_host(*to_host);
	return 0;
}
EXPORT_SYMBOL_GPL(sl_rndis_offload_parse);

static u8 csum_switch(bool tx, bool rx)
{
	if (tx)
		return rx ? NDIS_TX_RX_ENABLED : NDIS_TX_ENABLED;
	return rx ? NDIS_RX_ENABLED : NDIS_DISABLED;
}

/**
 * sl_rndis_params_fill() - the host's request to turn things on
 * @params: the request
 * @to_device: what the host is going to send; all else is turned off
 * @to_host: what it takes
 */
void sl_rndis_params_fill(struct ndis_params *params, u32 to_device, u32 to_host)
{
	memset(params, 0, sizeof(*params));
	params->header.type = NDIS_TYPE_DEFAULT;
	params->header.revision = NDIS_PARAMS_REVISION;
	params->header.size = cpu_to_le16(sizeof(*params));
	params->tcp4_csum = csum_switch(to_device & SL_RNDIS_CSUM_TCP4,
					to_host & SL_RNDIS_CSUM_TCP4);
	params->udp4_csum = csum_switch(to_device & SL_RNDIS_CSUM_UDP4,
					to_host & SL_RNDIS_CSUM_UDP4);
	params->tcp6_csum = csum_switch(to_device & SL_RNDIS_CSUM_TCP6,
					to_host & SL_RNDIS_CSUM_TCP6);
	params->udp6_csum = csum_switch(to_device & SL_RNDIS_CSUM_UDP6,
					to_host & SL_RNDIS_CSUM_UDP6);
	params->lso2_ip4 = to_device & SL_RNDIS_LSO4 ? NDIS_LSO2_ENABLED : NDIS_DISABLED;
	params->lso2_ip6 = to_device & SL_RNDIS_LSO6 ? NDIS_LSO2_ENABLED : NDIS_DISABLED;
	params->rsc_ip4 = to_host & SL_RNDIS_LSO4 ? NDIS_RSC_ENABLED : NDIS_DISABLED;
	params->rsc_ip6 = to_host & SL_RNDIS_LSO6 ? NDIS_RSC_ENABLED : NDIS_DISABLED;
}
EXPORT_SYMBOL_GPL(sl_rndis_params_fill);

static void apply_csum(u8 value, u32 bit, u32 *tx, u32 *rx)
{
	if (value == NDIS_TX_ENABLED || value == NDIS_TX_RX_ENABLED)
		*tx |= bit;
	else if (value)
		*tx &= ~bit;
	if (value == NDIS_RX_ENABLED || value == NDIS_TX_RX_ENABLED)
		*rx |= bit;
	else if (value)
		*rx &= ~bit;
}

static void apply(u8 value, u8 on, u32 bit, u32 *offload)
{
	if (value == on)
		*offload |= bit;
	else if (value)
		*offload &= ~bit;
}

/**
 * sl_rndis_params_parse() - the device's reading of that request
 * @data: from the wire
 * @len: bytes of it; an older host's shorter request leaves the rest as it is
 * @to_device: what is on and will be; what the host is going to send
 * @to_host: likewise; what it takes
 *
 * Return: 0, or -EPROTO when this is no such request and nothing has changed.
 */
int sl_rndis_params_parse(const void *data, u32 len, u32 *to_device, u32 *to_host)
{
	struct ndis_params params = { };
	u32 size;

	if (len < NDIS_PARAMS_SIZE_MIN)
		return -EPROTO;
	memcpy(&params, data, min_t(u32, len, sizeof(params)));
	size = le16_to_cpu(params.header.size);
	if (params.header.type != NDIS_TYPE_DEFAULT || size < NDIS_PARAMS_SIZE_MIN || size > len ||
	    params.tcp4_csum > NDIS_TX_RX_ENABLED || params.udp4_csum > NDIS_TX_RX_ENABLED ||
	    params.tcp6_csum > NDIS_TX_RX_ENABLED || params.udp6_csum > NDIS_TX_RX_ENABLED ||
	    params.lso2_ip4 > NDIS_LSO2_ENABLED || params.lso2_ip6 > NDIS_LSO2_ENABLED)
		return -EPROTO;
	if (size < sizeof(params))
		memset((u8 *)&params + size, 0, sizeof(params) - size);
	if (params.rsc_ip4 > NDIS_RSC_ENABLED || params.rsc_ip6 > NDIS_RSC_ENABLED)
		return -EPROTO;

	apply_csum(params.tcp4_csum, SL_RNDIS_CSUM_TCP4, to_device, to_host);
	apply_csum(params.udp4_csum, SL_RNDIS_CSUM_UDP4, to_device, to_host);
	apply_csum(params.tcp6_csum, SL_RNDIS_CSUM_TCP6, to_device, to_host);
	apply_csum(params.udp6_csum, SL_RNDIS_CSUM_UDP6, to_device, to_host);
	apply(params.lso2_ip4, NDIS_LSO2_ENABLED, SL_RNDIS_LSO4, to_device);
	apply(params.lso2_ip6, NDIS_LSO2_ENABLED, SL_RNDIS_LSO6, to_device);
	apply(params.rsc_ip4, NDIS_RSC_ENABLED, SL_RNDIS_LSO4, to_host);
	apply(params.rsc_ip6, NDIS_RSC_ENABLED, SL_RNDIS_LSO6, to_host);
	*to_device = consistent(*to_device);
	*to_host = for_host(*to_host);
	return 0;
}
EXPORT_SYMBOL_GPL(sl_rndis_params_parse);
