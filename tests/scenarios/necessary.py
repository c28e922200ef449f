"""Which test fails when a patch is left out, by the patch's name without its number.

tests/patches-necessary proves it; test_wire_series.py sees that no patch is missing here.
"""

NECESSARY = {
    # In releases that load no local_scan() themselves.
    "local_scan-loaded-at-run-time": "test_wire_server.py::test_local_scan_flags",
    "message-flag": "test_wire_spool.py::test_queue_runs",
    "server": "test_wire_server.py::test_offered_inside_tls_only",
    "acl-control": "test_wire_server.py::test_control",
    "receive-log": "test_wire_server.py::test_log_and_received_of_a_flagged_message",
    "tls-refused": "test_wire_client.py::test_bad_certificate",
    "client": "test_wire_client.py::test_table_of_the_patch",
    "connections": "test_wire_reuse.py::test_flagged_mail_is_alone",
    "child-messages": "test_wire_server.py::test_option_of_anybody",
    "dsn": "test_wire_dsn.py::test_bounce_has_headers_only",
    "doc": "test_wire_series.py::test_documentation",
}
