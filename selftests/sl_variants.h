/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The axes that most tests vary along: IP version, size, where in a page the
 * buffer begins, and whether the socket blocks.
 *
 * The fixture's variant has the members of SL_AXES.
 */
#ifndef SL_VARIANTS_H
#define SL_VARIANTS_H

#include "sl_test.h"

#define SL_AXES        \
	int family;    \
	size_t len;    \
	size_t offset; \
	bool nonblock

#define SL_OFFSET 1003 /* of an unaligned buffer */

#define SL_VARIANT(_fixture, _name, _family, _len, _offset, _nonblock) \
	FIXTURE_VARIANT_ADD(_fixture, _name)                           \
	{                                                              \
		.family = _family, .len = _len, .offset = _offset,     \
		.nonblock = _nonblock,                                 \
	}

#define SL_VARIANTS_BLOCKING(_fixture, _name, _family, _len, _offset) \
	SL_VARIANT(_fixture, _name, _family, _len, _offset, false);   \
	SL_VARIANT(_fixture, _name##_nonblock, _family, _len, _offset, true)

#define SL_VARIANTS_ALIGNED(_fixture, _name, _family, _len)              \
	SL_VARIANTS_BLOCKING(_fixture, _name, _family, _len, 0);         \
	SL_VARIANTS_BLOCKING(_fixture, _name##_unaligned, _family, _len, \
			     SL_OFFSET)

#define SL_VARIANTS_SIZES(_fixture, _name, _family)                       \
	SL_VARIANTS_ALIGNED(_fixture, _name##_4k, _family, 4 * SL_KIB);   \
	SL_VARIANTS_ALIGNED(_fixture, _name##_64k, _family, 64 * SL_KIB); \
	SL_VARIANTS_ALIGNED(_fixture, _name##_1m, _family, SL_MIB)

/* Every combination: 24 */
#define SL_VARIANTS_ALL(_fixture)                 \
	SL_VARIANTS_SIZES(_fixture, v4, AF_INET); \
	SL_VARIANTS_SIZES(_fixture, v6, AF_INET6)

/* Every value of every axis at least once: 6 */
#define SL_VARIANTS_FEW(_fixture)                                              \
	SL_VARIANT(_fixture, v4_4k, AF_INET, 4 * SL_KIB, 0, false);            \
	SL_VARIANT(_fixture, v4_64k, AF_INET, 64 * SL_KIB, 0, false);          \
	SL_VARIANT(_fixture, v4_1m_nonblock, AF_INET, SL_MIB, 0, true);        \
	SL_VARIANT(_fixture, v6_64k_unaligned_nonblock, AF_INET6, 64 * SL_KIB, \
		   SL_OFFSET, true);                                           \
	SL_VARIANT(_fixture, v6_1m, AF_INET6, SL_MIB, 0, false);               \
	SL_VARIANT(_fixture, v6_1m_unaligned, AF_INET6, SL_MIB, SL_OFFSET,     \
		   false)

#endif /* SL_VARIANTS_H */
