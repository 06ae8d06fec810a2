# SPDX-License-Identifier: GPL-2.0
units += settings
settings-sources := net/settings.c
