#include "CSegNetCodecs.h"
