/*
 * large_memory.h - memory that comes from the kernel and goes back without holding up other threads
 *
 * A thread that returns memory to the kernel holds the process's lock of mappings (mmap_lock) until
 * each page is freed: 21 ms for 240 MiB in pages of 4 KiB. The thread may lose its core meanwhile,
 * and an I/O thread that maps memory for a new connection then waits until the first thread has run
 * again: half a second was seen. So large memory is returned piece by piece, and the lock is free
 * after each piece. Huge pages are freed in a twentieth of the time besides, and filling 240 MiB
 * takes 120 page faults instead of 61,440.
 */
#ifndef LARGE_MEMORY_H
#define LARGE_MEMORY_H

#include <stddef.h>

#define LARGE_MEMORY       (4u << 20) /* bytes; holds a huge page, however the memory is aligned */
#define LARGE_MEMORY_PIECE (2u << 20) /* bytes returned at once: a huge page, or 0.2 ms */

/* Asks for huge pages; a kernel without them leaves small ones. Only for memory that a compute
 * thread fills: the kernel clears a huge page in 0.2 ms or more, and an I/O thread would do so for
 * each connection in turn. bytes: from malloc or realloc; may be NULL. */
void large_memory_ask_huge(void *bytes, size_t length);

/* As free; bytes may be NULL. */
void large_memory_free(void *bytes, size_t length);

#endif
