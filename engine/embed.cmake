# Compiles the files of a folder into a target as one table:
#     const struct embedded_file NAME[]   (engine/base/embedded.h)
# It ends with a row whose name is NULL.
function(embed_files target name folder)
  set(dir ${CMAKE_SOURCE_DIR}/${folder})
  file(GLOB files CONFIGURE_DEPENDS RELATIVE ${dir} ${dir}/*.*)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.c)
  list(TRANSFORM files PREPEND ${dir}/ OUTPUT_VARIABLE paths)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DDIR=${dir} "-DFILES=${files}"
      -DOUT=${out} -P ${CMAKE_SOURCE_DIR}/engine/embed_table.cmake
    DEPENDS ${paths} ${CMAKE_SOURCE_DIR}/engine/embed_table.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
