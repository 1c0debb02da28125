#include "CSegNetKernels.h"
