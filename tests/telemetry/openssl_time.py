"""The time by which OpenSSL judges a certificate: it asks the system, and a test's clock is another one."""

from __future__ import annotations

import _ssl
import ctypes
import ssl
from datetime import datetime


def judge_at(context: ssl.SSLContext, at: datetime) -> None:
    """From now on this context takes it to be then (X509_VERIFY_PARAM_set_time(3)).

    Python does not hand that on. Its context holds OpenSSL's own right behind what every object begins with.
    """
    library = ctypes.CDLL(getattr(_ssl, "__file__", None))
    parameters, set_time = library.SSL_CTX_get0_param, library.X509_VERIFY_PARAM_set_time
    parameters.argtypes, parameters.restype = [ctypes.c_void_p], ctypes.c_void_p
    set_time.argtypes, set_time.restype = [ctypes.c_void_p, ctypes.c_longlong], None
    openssl_context = ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
    set_time(parameters(openssl_context), int(at.timestamp()))
