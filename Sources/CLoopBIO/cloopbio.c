#include "cloopbio.h"
