//  libFuzzer's entry for programs with a `main` of their own (https://llvm.org/docs/LibFuzzer.html).

#include <stddef.h>
#include <stdint.h>

typedef int (*sn_fuzz_callback)(const uint8_t *_Nullable data, size_t size);

int LLVMFuzzerRunDriver(int *_Nonnull count, char *_Nullable *_Nonnull *_Nonnull arguments, sn_fuzz_callback _Nonnull run);
