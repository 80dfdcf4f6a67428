/* sha256.h - a name for what a text holds: SHA-256, FIPS 180-4.
 *
 * Results are kept under the hash of what they follow from, and two inputs with one name would be
 * one result too few: so a hash for which nobody knows two such texts.  `sha256sum` gives the
 * same, so a name can be checked by hand; written out, for it is sixty lines that never change
 * and no cluster then has to have a library for them.
 */
#ifndef SIM_SHA256_H
#define SIM_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_TEXT 65          /* digits of a hash, and their end */

/* The hash in hexadecimal. */
void sha256_text(const void *bytes, size_t size, char text[SHA256_TEXT]);

#endif
