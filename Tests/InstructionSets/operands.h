#ifndef OPERANDS_H
#define OPERANDS_H

/// Frees every operand of a case. Returns 0 if something was written in front of one.
int release_operands(void);

#endif
